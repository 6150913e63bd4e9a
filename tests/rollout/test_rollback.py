"""Rolling back one rule, several and all: what is done, what is told, and what it does without."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connections, transaction
from django.test import Client
from waffle.models import Flag, Sample, Switch

from rollout import operations, plans, rollback
from rollout.gates import EVERYBODY
from rollout.models import Event, GateKind, Mode, RolloutPlan, RoutingRule
from rollout.plan_states import Action, State
from rollout.policy import KILL_SWITCH
from rollout.rollback import roll_back_all, roll_back_rule, roll_back_rules
from rollout.watching import watch
from tests.rollout.support import TIMEOUT_SECONDS, Worker, create_flag, draft_plan, wait_for_lock
from tests.support import Servers, route

pytestmark = pytest.mark.django_db

FLAG = (GateKind.FLAG, "checkout")


@pytest.mark.parametrize(
    "values", [{"percent": 50}, {"everyone": True}, {"staff": True}, {"percent": 5, "languages": "de"}]
)
def test_a_flag_is_closed_for_everybody(values: dict[str, Any]) -> None:
    create_flag("checkout", **values)
    done = roll_back_rule(route(gate=FLAG), "default")
    assert Flag.objects.get().everyone is False
    assert (done.rule, done.had_no_need) == ("endpoint:shop:product-list", False)
    assert (done.change.before.is_nobody, done.change.after.is_nobody) == (False, True)


def test_a_switch_and_a_sample_are_closed() -> None:
    Switch.objects.create(name="checkout", active=True)
    Sample.objects.create(name="checkout", percent=30)
    rules = [route(kind, gate=(kind, "checkout")) for kind in (GateKind.SWITCH, GateKind.SAMPLE)]
    roll_back_rules(rules, "default")
    assert not Switch.objects.get(name="checkout").active
    assert Sample.objects.get().percent == 0


def test_a_plan_that_moves_the_flag_is_over() -> None:
    plan = plans.start(draft_plan(flag="checkout").pk).plan
    roll_back_rule(plan.rule, "default")
    plan.refresh_from_db()
    assert plan.state == State.ROLLED_BACK
    assert Event.objects.filter(subject_kind="plan").latest("pk").after["state"] == State.ROLLED_BACK


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_plan_that_somebody_is_looking_at_is_not_waited_for(worker: Worker) -> None:
    plan = plans.start(draft_plan(flag="checkout").pk).plan
    with transaction.atomic():
        RolloutPlan.objects.select_for_update().get(pk=plan.pk)
        worker.start(lambda: roll_back_rule(plan.rule, "default")).result(TIMEOUT_SECONDS)
        assert Flag.objects.get().everyone is False
    assert watch("default")[plan.pk].action is Action.ROLL_BACK


def test_rules_that_share_the_gate_are_named() -> None:
    create_flag("checkout", percent=50)
    rule = route(gate=FLAG)
    route("names", gate=FLAG)
    route("shop.Product", kind="model", gate=FLAG, mode=Mode.OBSERVE)
    route("apart", gate=(GateKind.SWITCH, "checkout"))
    assert roll_back_rule(rule, "default").others == ("endpoint:names", "model:shop.Product")


@pytest.mark.parametrize("gate", [(GateKind.NONE, ""), (GateKind.FLAG, "deleted")])
@pytest.mark.parametrize(
    ("mode", "after"), [(Mode.ROUTE, Mode.OBSERVE), (Mode.OBSERVE, Mode.OBSERVE), (Mode.PIN, Mode.PIN)]
)
def test_a_rule_without_a_gate_routes_no_more(mode: str, after: str, gate: tuple[str, str]) -> None:
    done = roll_back_rule(route(mode=mode, gate=gate), "default")
    assert RoutingRule.objects.get().mode == after
    assert done.had_no_need == (mode != Mode.ROUTE or gate[0] == GateKind.FLAG)


def test_doing_it_again_changes_nothing_and_says_so() -> None:
    create_flag("checkout", percent=50)
    rules = [route("names"), route(gate=FLAG)]
    roll_back_rules(rules, "default")
    roll_back_all("default")
    events = Event.objects.count()
    again = [*roll_back_rules(rules, "default"), roll_back_all("default")]
    assert all(done.had_no_need for done in again)
    assert Event.objects.count() == events


@pytest.mark.parametrize("is_there", [True, False])
def test_all_turns_the_kill_switch_off(is_there: bool) -> None:
    Switch.objects.filter(name=KILL_SWITCH).delete()
    if is_there:
        Switch.objects.create(name=KILL_SWITCH, active=True)
    done = roll_back_all("default")
    assert not Switch.objects.get(name=KILL_SWITCH).active
    assert (done.rule, done.had_no_need) == (None, not is_there)


def test_of_several_rules_all_are_taken_back_or_none() -> None:
    gone, rule = route("gone"), route()
    RoutingRule.objects.filter(pk=gone.pk).delete()
    with pytest.raises(ValidationError, match="1 of 2 rules no longer exist"):
        roll_back_rules([rule, gone], "default")
    assert RoutingRule.objects.get().mode == Mode.ROUTE


def test_what_somebody_else_changed_meanwhile_is_what_counts() -> None:
    create_flag("checkout", percent=50)
    rule = route()
    RoutingRule.objects.update(gate_kind=GateKind.FLAG, gate_name="checkout")
    roll_back_rule(rule, "default")
    assert Flag.objects.get().everyone is False


@pytest.mark.django_db(transaction=True)
def test_somebody_who_raises_a_gate_at_the_same_time_is_waited_for_and_taken_back(worker: Worker) -> None:
    create_flag("a", percent=50)
    create_flag("b", percent=50)
    rules = [route(name, gate=(GateKind.FLAG, name)) for name in "ab"]
    with transaction.atomic():
        Flag.objects.select_for_update().get(name="b")
        rolling_back = worker.start(lambda: roll_back_rules(rules, "default"))
        wait_for_lock()
        # Raises the revision as well. Had the other one done so for `a` by now, each would wait for the other.
        operations.set_share(GateKind.FLAG, "b", EVERYBODY)
    rolling_back.result(TIMEOUT_SECONDS)
    assert set(Flag.objects.values_list("everyone", flat=True)) == {False}


@pytest.mark.django_db(transaction=True)
def test_somebody_who_holds_a_gate_and_does_not_let_go_is_told_of(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "LONGEST_WAIT_SECONDS", 1)
    create_flag("checkout", percent=50)
    rule = route(gate=FLAG)
    with transaction.atomic():
        Flag.objects.select_for_update().get()
        rolling_back = worker.start(lambda: roll_back_rule(rule, "default"))
        with pytest.raises(OperationalError, match="lock timeout"):
            rolling_back.result(TIMEOUT_SECONDS)
    assert Flag.objects.get().everyone is None


@pytest.fixture(params=["refuses", "hangs"])
def broken_cache(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """CACHES with a Redis that nobody listens for, or that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        location = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        if request.param == "refuses":
            listener.close()
        yield {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_reads_return_to_the_primary_without_a_cache(
    shop: Servers, client: Client, settings: Any, broken_cache: dict[str, Any]
) -> None:
    create_flag("checkout", everyone=True)
    rules = [route("names", gate=FLAG), route("this-file")]

    def roll_back() -> None:
        try:
            roll_back_rules(rules, "default")
            roll_back_all("default")
        finally:
            connections.close_all()

    with shop.watch() as before:
        client.get("/test/names/")
    # Only meanwhile: a client whose token cannot be looked up reads from the primary for that reason alone.
    working, settings.CACHES = settings.CACHES, broken_cache
    # In a thread, so that one that hangs fails the test instead of stopping it.
    ThreadPoolExecutor(1).submit(roll_back).result(TIMEOUT_SECONDS)
    settings.CACHES = working
    with shop.watch() as after:
        client.get("/test/names/")
    assert (before.primary, after.replicas) == (0, 0)
    assert before.replicas == after.primary > 0
    assert Flag.objects.get().everyone is False
    assert not Switch.objects.get(name=KILL_SWITCH).active
