"""The buttons of a plan: who may press them, what they ask, what they do to plan, flag and rule, and what they tell."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client, override_settings
from waffle.models import Flag

from rollout import plans, rollback
from rollout.models import Door, Event, GateKind, Mode, RolloutPlan, RoutingRule
from rollout.plan_states import State
from rollout.settings import get_settings
from tests.admin_ui.support import DASHBOARD, count_reads, messages, text
from tests.rollout.support import create_flag, draft_plan
from tests.support import route

pytestmark = pytest.mark.django_db

RAISING = ("resume", "advance", "finish")


def start_url(rule: RoutingRule) -> str:
    return f"{DASHBOARD}rules/{rule.pk}/plan/"


def back_url(rule: RoutingRule) -> str:
    return f"{DASHBOARD}rules/{rule.pk}/roll-back/"


def page_url(rule: RoutingRule) -> str:
    return f"{DASHBOARD}rules/{rule.pk}/"


def steer(client: Client, plan: RolloutPlan, do: str, **data: str) -> Any:
    address = f"{DASHBOARD}plans/{plan.pk}/steer/"
    return client.post(address, {"do": do, "back": page_url(plan.rule), **data})


def start(client: Client, rule: RoutingRule, template: str = "fast", **data: str) -> Any:
    return client.post(start_url(rule), {"template": template, "back": page_url(rule), **data})


def percent() -> str:
    row = Flag.objects.get(name="checkout")
    return {True: "everyone", False: "nobody", None: f"{row.percent}"}[row.everyone]


def running(stages: tuple[int, ...] = (5, 50, 100), **draft: Any) -> RolloutPlan:
    return plans.start(draft_plan(stages=stages, **draft).pk).plan


def now(plan: RolloutPlan) -> RolloutPlan:
    return RolloutPlan.objects.get(pk=plan.pk)


@pytest.fixture
def rule(db: None) -> RoutingRule:
    create_flag("checkout", everyone=False)
    return route("names", mode=Mode.OBSERVE, gate=(GateKind.FLAG, "checkout"))


# Starting


def test_starting_asks_and_shows_every_stage_and_rule(operator: Client, rule: RoutingRule) -> None:
    route("other", gate=(GateKind.FLAG, "checkout"))
    page = text(start(operator, rule)).replace("\u202f", " ")
    assert "Start a fast plan?" in page
    assert "10 %, at least 2 min and 200 units; 50 %, at least 5 min and 1 000 units; 100 %, at least" in page
    assert re.search(r"endpoint names</th><td>0 %</td><td><strong>10 %", page)
    assert re.search(r"endpoint other</th><td>0 %</td><td><strong>10 %", page)
    assert not RolloutPlan.objects.exists()
    assert percent() == "nobody"


def test_an_answer_starts_it_and_leads_back_to_the_page_with_the_reason_on_record(
    operator: Client, rule: RoutingRule
) -> None:
    page = text(start(operator, rule, reason="Tests passed."))
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page)) | {"confirm": "1"}
    response = operator.post(start_url(rule), fields)
    assert response["Location"] == page_url(rule)
    assert messages(response) == ["Started with stage 1 of 3, 10 %."]
    assert percent() == "10.0"
    told = {event.subject_kind: event for event in Event.objects.filter(why="Tests passed.")}
    assert set(told) == {"plan", "rule", "flag"}
    assert {(event.door, event.who) for event in told.values()} == {(Door.DASHBOARD, "staff_operate_routing")}


def test_a_plan_that_begins_lower_asks_all_the_same_as_it_will_rise(operator: Client, rollbacker: Client) -> None:
    create_flag("checkout", percent=50)
    rule = route("names", gate=(GateKind.FLAG, "checkout"))
    assert start(rollbacker, rule, confirm="1").status_code == 403
    assert re.search(r"<td>50 %</td><td><strong>10 %", text(start(operator, rule)))
    assert percent() == "50.0"


@pytest.mark.parametrize(
    ("template", "gate", "said"),
    [
        ("bold", (GateKind.FLAG, "checkout"), "There is no template “bold”"),
        ("fast", (GateKind.FLAG, "gone"), "no flag named “gone”"),
        ("fast", (GateKind.NONE, ""), "has no gate. A plan moves the percentage of a waffle flag"),
    ],
)
def test_what_cannot_start_is_said_and_leaves_no_plan(
    operator: Client, template: str, gate: tuple[str, str], said: str
) -> None:
    create_flag("checkout", everyone=False)
    rule = route("names", mode=Mode.OBSERVE, gate=gate)
    assert said in messages(start(operator, rule, template, confirm="1"))[0]
    assert not RolloutPlan.objects.exists()


def test_a_flag_that_another_plan_moves_refuses_and_leaves_no_draft(operator: Client, rule: RoutingRule) -> None:
    plan = running(target="other")
    assert f"Plan {plan.pk} of endpoint other is running" in messages(start(operator, rule, confirm="1"))[0]
    assert RolloutPlan.objects.count() == 1


# Steering


@pytest.mark.parametrize("do", ["start", *RAISING])
def test_those_who_roll_back_may_not_let_it_rise_even_if_they_confirm(rollbacker: Client, do: str) -> None:
    plan = running(stages=(100,)) if do == "finish" else running()
    if do == "resume":
        plans.pause(plan.pk)
    before = (now(plan).state, now(plan).stage, percent())
    response = start(rollbacker, plan.rule, confirm="1") if do == "start" else steer(rollbacker, plan, do, confirm="1")
    assert response.status_code == 403
    assert (now(plan).state, now(plan).stage, percent()) == before


@pytest.mark.parametrize("who", ["viewer", "editor"])
def test_those_who_only_look_may_do_nothing(request: pytest.FixtureRequest, who: str) -> None:
    client: Client = request.getfixturevalue(who)
    plan = running()
    for do in ("pause", *RAISING):
        assert steer(client, plan, do, confirm="1").status_code == 403
    assert client.post(back_url(plan.rule)).status_code == 403
    assert start(client, plan.rule, confirm="1").status_code == 403
    assert (now(plan).state, percent()) == (State.RUNNING, "5.0")


def test_pausing_asks_nothing(rollbacker: Client) -> None:
    plan = running()
    response = steer(rollbacker, plan, "pause", reason="Let us see.")
    assert response["Location"] == page_url(plan.rule)
    assert messages(response) == ["Paused in stage 1 of 3, 5 %."]
    assert now(plan).state == State.PAUSED
    event = Event.objects.latest("pk")
    assert (event.subject_kind, event.who, event.why) == ("plan", "staff_rollback_routing", "Let us see.")


def test_a_whole_rollout_by_its_buttons(operator: Client) -> None:
    plan = running(stages=(5, 100))
    said = []
    for do in ("pause", "resume", "advance", "finish"):
        if do != "pause":
            assert steer(operator, plan, do).status_code == 200
        said += messages(steer(operator, plan, do, confirm="1"))
    assert said == [
        "Paused in stage 1 of 2, 5 %.",
        "Resumed in stage 1 of 2, 5 %.",
        "Advanced to stage 2 of 2, 100 %.",
        "Finished in stage 2 of 2, 100 %.",
    ]
    assert (now(plan).state, percent()) == (State.FINISHED, "everyone")
    doors = Event.objects.filter(subject_kind="plan", kind="changed").order_by("pk").values_list("door", "who")
    assert list(doors)[1:] == [(Door.DASHBOARD, "staff_operate_routing")] * 4


def test_advancing_shows_from_where_to_where_and_what_it_passes_over(operator: Client) -> None:
    plan = running()
    RolloutPlan.objects.update(outlook="error_rate: no data.")
    page = text(steer(operator, plan, "advance"))
    assert "from 5 % to 50 %" in page
    assert re.search(r"endpoint names</th><td>5 %</td><td><strong>50 %", page)
    assert "By itself, the plan would not go on yet. error_rate: no data." in page
    assert (now(plan).stage, percent()) == (0, "5.0")


def test_advancing_says_whether_the_others_could_do_without_the_busiest_replica(operator: Client) -> None:
    plan = running()
    cluster = settings.READSHIFT["CLUSTERS"]["default"]
    stated = {alias: {"CAPACITY": 10} for alias in get_settings().replicas}
    for alias in stated:
        count_reads(600, alias=alias, reason="routed", span_seconds=10)
    clusters = {"CLUSTERS": {"default": {**cluster, "REPLICAS": stated}}}
    with override_settings(READSHIFT={**settings.READSHIFT, **clusters}):
        assert "are missing. Add a replica or take a smaller step." in text(steer(operator, plan, "advance"))
    assert "No replica has a stated capacity" in text(steer(operator, plan, "advance"))


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("resume", "so “resume” is not possible"),
        ("finish", "Advance it to the last one before it can finish"),
        ("dance", "“dance” is nothing that is done to a plan. Use one of pause, resume, advance, finish"),
    ],
)
def test_what_is_not_possible_is_refused_with_what_is(operator: Client, do: str, said: str) -> None:
    plan = running()
    assert said in messages(steer(operator, plan, do, confirm="1"))[0]
    assert (now(plan).state, now(plan).version) == (State.RUNNING, plan.version)


def test_the_last_stage_has_no_next(operator: Client) -> None:
    assert "last stage. Finish it" in messages(steer(operator, running(stages=(5,)), "advance", confirm="1"))[0]


def test_a_stage_that_there_is_not_cannot_begin_anew(operator: Client) -> None:
    plan = running()
    plans.pause(plan.pk)
    RolloutPlan.objects.update(stage=9)
    assert "in stage 10 of 3" in messages(steer(operator, plan, "resume", confirm="1"))[0]


def test_a_plan_deleted_meanwhile_gives_a_message(operator: Client) -> None:
    plan = running()
    pk, address = plan.pk, back_url(plan.rule)
    plan.rule.delete()
    assert f"There is no plan {pk}" in messages(operator.post(f"{DASHBOARD}plans/{pk}/steer/", {"do": "pause"}))[0]
    assert "no longer exists" in messages(operator.post(address))[-1]


# Two operators at once


def test_what_was_raised_meanwhile_is_asked_anew_with_the_present_stage(operator: Client) -> None:
    plan = running()
    seen = str(plan.version)
    plans.advance(plan.pk)
    page = text(steer(operator, plan, "advance", confirm="1", seen=seen))
    assert "The plan was changed after your page was loaded: it was running, stage 2 of 3, 50 %" in page
    assert "from 50 % to 100 %" in page
    assert percent() == "50.0"
    (seen,) = re.findall(r'name="seen" value="(\d+)"', page)
    steer(operator, plan, "advance", confirm="1", seen=seen)
    assert percent() == "everyone"


def test_what_was_changed_meanwhile_is_paused_all_the_same_and_told(rollbacker: Client) -> None:
    plan = running()
    plans.advance(plan.pk)
    done, news = messages(steer(rollbacker, plan, "pause", seen=str(plan.version)))
    assert done == "Paused in stage 2 of 3, 50 %."
    assert "changed after your page was loaded: it was running, stage 2 of 3, 50 %" in news


# Rolling back


def test_rolling_back_asks_nothing_ends_the_plan_and_names_what_goes_with_it(rollbacker: Client) -> None:
    plan = running()
    route("other", gate=(GateKind.FLAG, "checkout"))
    response = rollbacker.post(back_url(plan.rule), {"reason": "Errors.", "back": page_url(plan.rule)})
    assert response["Location"] == page_url(plan.rule)
    assert messages(response) == [
        "Flag checkout: from 5 % to 0 %.",
        "Taken back as well, through the same flag: endpoint other.",
    ]
    assert (now(plan).state, percent()) == (State.ROLLED_BACK, "nobody")
    event = Event.objects.filter(subject_kind="flag").latest("pk")
    assert (event.door, event.who, event.why) == (Door.DASHBOARD, "staff_rollback_routing", "Errors.")


def test_a_rule_without_a_gate_is_only_observed_from_then_on(rollbacker: Client) -> None:
    rule = route("names")
    rollbacker.post(back_url(rule))
    rule.refresh_from_db()
    assert rule.mode == Mode.OBSERVE
    assert messages(rollbacker.post(back_url(rule)))[-1] == "Endpoint names: from observe to observe, as before."


@pytest.mark.django_db(transaction=True)
def test_a_flag_that_somebody_holds_is_told_of_and_not_waited_for_long(
    rollbacker: Client, rule: RoutingRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "LONGEST_WAIT_SECONDS", 0.1)
    other = connections.create_connection("default")
    other.settings_dict["NAME"] = connection.settings_dict["NAME"]
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT * FROM waffle_flag FOR UPDATE")
            (told,) = messages(rollbacker.post(back_url(rule)))
    finally:
        other.close()
    assert "Somebody else holds the rule for endpoint names or its gate, so nothing was changed." in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("table", "address", "data"),
    [
        ("waffle_switch", f"{DASHBOARD}kill-switch/", {"state": "off"}),
        ("readshift_routingrule", f"{DASHBOARD}rules/{{rule}}/mode/", {"mode": "pin"}),
        ("waffle_flag", f"{DASHBOARD}rules/{{rule}}/share/", {"percent": "0"}),
    ],
)
def test_no_button_waits_for_long_for_what_somebody_holds(
    rollbacker: Client,
    rule: RoutingRule,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    address: str,
    data: dict[str, str],
) -> None:
    monkeypatch.setattr(rollback, "LONGEST_WAIT_SECONDS", 0.1)
    other = connections.create_connection("default")
    other.settings_dict["NAME"] = connection.settings_dict["NAME"]
    try:
        with other.cursor() as cursor:
            # So that the test ends where a button does wait.
            cursor.execute("SET idle_in_transaction_session_timeout = '3s'")
            cursor.execute(f"BEGIN; SELECT * FROM {table} FOR UPDATE")
            (told,) = messages(rollbacker.post(address.format(rule=rule.pk), data))
    finally:
        other.close()
    assert told == "Somebody else holds what this would change, so nothing was changed. Try again."
