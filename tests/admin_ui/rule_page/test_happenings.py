"""What events tell of a rule, one entry for each change."""

from decimal import Decimal
from functools import partial

import pytest

from admin_ui.rule_page.happenings import Happening, Sort, happenings, value_words
from rollout import operations, plans, rollback
from rollout.acting import Acting, acting
from rollout.models import Door, Event, EventKind, Mode
from tests.admin_ui.support import flag
from tests.rollout.support import draft_plan
from tests.support import route

pytestmark = pytest.mark.django_db


def told(since: int) -> list[Happening]:
    """Return what happened after the first events, the oldest first."""
    return list(reversed(happenings(list(Event.objects.order_by("-pk")[: Event.objects.count() - since]))))


def test_a_plan_tells_each_of_its_changes_once() -> None:
    pk = draft_plan(stages=(5, 100)).pk
    before = Event.objects.count()
    for change, who in ((plans.start, "ada"), (plans.pause, "bob"), (plans.resume, "ada"), (plans.advance, "bob")):
        with acting(Acting(Door.DASHBOARD, partial(str, who))):
            change(pk)
    with acting(Acting(Door.PLAN, lambda: f"plan {pk}", "errors doubled")):
        plans.roll_back(pk, why="errors doubled")
    found = told(before)
    assert [(each.sort, each.who) for each in found] == [
        (Sort.STAGE, "ada"),
        (Sort.PAUSE, "bob"),
        (Sort.STAGE, "ada"),
        (Sort.STAGE, "bob"),
        (Sort.BACK, f"plan {pk}"),
    ]
    assert found[0].words == "Started with stage 1 of 2, 5 %."
    assert found[-1].words.endswith("lets nobody through. errors doubled")


def test_a_change_by_hand_says_what_from_and_to_and_the_reason() -> None:
    rule = route("names", gate=flag(percent="25"))
    before = Event.objects.count()
    with acting(Acting(Door.REQUEST, why="It is quiet")):
        operations.set_share("flag", "products", Decimal(50))
    with acting(Acting(Door.WEBHOOK, lambda: "alert")):
        rollback.roll_back_rule(rule, "default")
    raised, taken_back = told(before)
    assert raised.words == "Flag products: percent from 25.0 to 50.0. It is quiet"
    assert (raised.sort, raised.who) == (Sort.CHANGE, Door.REQUEST.label)
    assert (taken_back.sort, taken_back.who) == (Sort.BACK, "alert")
    assert taken_back.words == "Flag products: everyone from nothing to no"


def test_lowering_a_share_is_not_taking_it_back_and_observing_is() -> None:
    rule = route("names", gate=flag(percent="25"))
    before = Event.objects.count()
    with acting(Acting(Door.DASHBOARD, lambda: "ada")):
        operations.set_share("flag", "products", Decimal(5))
    with acting(Acting(Door.DASHBOARD, lambda: "bob")):
        operations.set_mode(rule, Mode.OBSERVE)
    assert [each.sort for each in told(before)] == [Sort.CHANGE, Sort.BACK]


def test_every_sort_has_a_sign_and_a_word_of_its_own() -> None:
    assert len({sort.sign for sort in Sort}) == len({sort.word for sort in Sort}) == len(Sort)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "nothing"), ("", "nothing"), (True, "yes"), (False, "no"), (0, "0"), (["1", "2"], "1, 2"), ("a", "a")],
)
def test_values_are_said_as_people_do(value: object, words: str) -> None:
    assert value_words(value) == words


def test_what_a_guardrail_in_trial_would_have_done_is_a_change() -> None:
    event = Event(
        at="2026-11-25", kind=EventKind.CHANGED, door=Door.PLAN, who="plan 1", subject_kind="plan", subject="1 of names"
    )
    event.after = {"trial": "lag would have taken it back"}
    (found,) = happenings([event])
    assert found.sort == Sort.CHANGE
    assert "would have taken it back" in found.words
