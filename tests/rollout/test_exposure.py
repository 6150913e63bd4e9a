"""How much a gate opens for, and which change opens it for somebody new."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from rollout.bucketing import threshold
from rollout.contracts import ANY, SESSION, STRICT, Contract, Freshness
from rollout.exposure import Change, Exposure, of_gate, of_rule, parse_percent, routed
from rollout.gates import EVERYBODY, NOBODY, FlagGate, Gate, SampleGate, SwitchGate
from rollout.models import GateKind, Mode, TargetKind
from rollout.policy import Rule

PERCENTS = st.integers(min_value=0, max_value=1000).map(lambda tenths: Decimal(tenths) / 10)
FIVE, MINUTE = Contract(Freshness.BOUNDED, 5), Contract(Freshness.BOUNDED, 60)
FROM_STRICTEST = (STRICT, FIVE, MINUTE, SESSION, ANY)
EXPOSURES = st.builds(Exposure, PERCENTS, st.booleans(), st.sampled_from(FROM_STRICTEST), st.booleans())


def let_through(exposure: Exposure) -> set[object]:
    """Return who passes: of a thousand actors in the order of buckets, and of one chosen user who is last in it."""
    people: set[object] = set(range(int(exposure.percent * 10)))
    return people | {"chosen"} if exposure.targeted or exposure.percent == EVERYBODY else people


def shown(exposure: Exposure) -> set[object]:
    """Return who may be shown what within and over the budget: what a contract allows, looser ones allow as well."""
    within = FROM_STRICTEST[: FROM_STRICTEST.index(exposure.contract) + 1]
    over = FROM_STRICTEST if exposure.may_be_stale else within
    allowed = [("within", contract) for contract in within] + [("over", contract) for contract in over]
    return {(person, answer) for person in let_through(exposure) for answer in allowed}


@given(EXPOSURES)
def test_nothing_exceeds_itself(exposure: Exposure) -> None:
    assert not exposure.exceeds(exposure)


@given(EXPOSURES, EXPOSURES)
def test_an_exposure_reaches_beyond_another_exactly_when_it_lets_through_somebody_whom_the_other_does_not(
    one: Exposure, other: Exposure
) -> None:
    assert one.reaches_beyond(other) is bool(let_through(one) - let_through(other))


@given(EXPOSURES, EXPOSURES)
def test_an_exposure_exceeds_another_exactly_when_it_shows_somebody_what_the_other_does_not(
    one: Exposure, other: Exposure
) -> None:
    assert one.exceeds(other) is bool(shown(one) - shown(other))


@given(EXPOSURES)
def test_nobody_is_let_through_exactly_when_an_exposure_says_so(exposure: Exposure) -> None:
    assert exposure.is_nobody is not bool(let_through(exposure))


@given(EXPOSURES, EXPOSURES)
def test_a_change_says_what_rises_exactly_when_something_does(before: Exposure, after: Exposure) -> None:
    assert Change("", before, after).raises_exposure is bool(Change("", before, after).rise)


@pytest.mark.parametrize(
    ("before", "after", "rise"),
    [
        pytest.param((5, SESSION), (50, SESSION), "raise the share on replicas from 5 % to 50 %", id="more actors"),
        pytest.param((50, SESSION), (50, ANY), "loosen the freshness contract from session to any", id="looser"),
        pytest.param(
            (50, FIVE), (5, MINUTE), "loosen the freshness contract from bounded:5 to bounded:60", id="looser for fewer"
        ),
        pytest.param(
            (0, STRICT),
            (50, SESSION),
            "raise the share on replicas from 0 % to 50 % and loosen the freshness contract from strict to session",
            id="both",
        ),
        pytest.param((5, ANY), (50, SESSION), "raise the share on replicas from 5 % to 50 %", id="stricter for more"),
        pytest.param((50, ANY), (50, FIVE), "", id="stricter"),
        pytest.param((50, SESSION), (50, FIVE), "", id="bounded is stricter than session"),
        pytest.param((50, FIVE), (0, ANY), "", id="looser for nobody"),
        pytest.param((0, SESSION), (0, ANY), "", id="looser for nobody, as before"),
    ],
)
def test_what_rises_is_said_in_words(before: tuple[int, Contract], after: tuple[int, Contract], rise: str) -> None:
    (old, old_contract), (new, new_contract) = before, after
    change = Change("", Exposure(Decimal(old), False, old_contract), Exposure(Decimal(new), False, new_contract))
    assert change.rise == rise


STALE = "let replicas that are too far behind, or lack what the actor wrote, answer over the fallback budget"


@pytest.mark.parametrize(
    ("before", "after", "rise"),
    [
        pytest.param((SESSION, False), (SESSION, True), STALE, id="stale over budget"),
        pytest.param((SESSION, True), (SESSION, False), "", id="no longer"),
        pytest.param((SESSION, True), (SESSION, True), "", id="as before"),
        pytest.param((ANY, False), (ANY, True), "", id="any allows it within the budget already"),
        pytest.param((ANY, True), (SESSION, True), "", id="stricter within the budget"),
        pytest.param((ANY, False), (SESSION, True), "", id="stricter within the budget and the same over it"),
        pytest.param(
            (FIVE, False),
            (MINUTE, True),
            f"loosen the freshness contract from bounded:5 to bounded:60 and {STALE}",
            id="looser within the budget and over it",
        ),
        pytest.param(
            (SESSION, False), (ANY, False), "loosen the freshness contract from session to any", id="contract alone"
        ),
    ],
)
def test_stale_answers_over_budget_count_as_a_looser_contract(
    before: tuple[Contract, bool], after: tuple[Contract, bool], rise: str
) -> None:
    change = Change("", Exposure(EVERYBODY, False, *before), Exposure(EVERYBODY, False, *after))
    assert change.rise == rise
    nobody = Change("", Exposure(NOBODY, False, *before), Exposure(NOBODY, False, *after))
    assert nobody.rise == ""


@given(PERCENTS, PERCENTS, st.booleans())
def test_of_two_percentages_at_most_one_exceeds_the_other(one: Decimal, other: Decimal, targeted: bool) -> None:
    first, second = Exposure(one, targeted), Exposure(other, targeted)
    assert first.exceeds(second) is (one > other)
    assert not (first.exceeds(second) and second.exceeds(first))


def test_a_change_raises_exposure_when_its_end_exceeds_its_start() -> None:
    low, high = Exposure(Decimal(5)), Exposure(Decimal(50))
    assert Change("up", low, high).raises_exposure
    assert not Change("down", high, low).raises_exposure
    assert not Change("none", low, low).raises_exposure


@pytest.mark.parametrize(
    ("exposure", "text"),
    [
        (Exposure(NOBODY), "0 %"),
        (Exposure(Decimal("12.50")), "12.5 %"),
        (Exposure(Decimal(50), targeted=True), "50 % and chosen users"),
        (Exposure(EVERYBODY, targeted=True), "100 %"),
    ],
)
def test_an_exposure_reads_as_a_percentage(exposure: Exposure, text: str) -> None:
    assert str(exposure) == text


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        pytest.param({}, Exposure(NOBODY), id="closed"),
        pytest.param({"threshold": 2_500}, Exposure(Decimal("2.5")), id="percent"),
        pytest.param({"everyone": True, "threshold": 5_000}, Exposure(EVERYBODY), id="everyone"),
        pytest.param({"everyone": False, "staff": True, "user_ids": frozenset({7})}, Exposure(NOBODY), id="no one"),
        pytest.param({"superusers": True}, Exposure(NOBODY, targeted=True), id="superusers"),
        pytest.param({"staff": True}, Exposure(NOBODY, targeted=True), id="staff"),
        pytest.param({"authenticated": True}, Exposure(NOBODY, targeted=True), id="authenticated"),
        pytest.param({"languages": frozenset({"de"})}, Exposure(NOBODY, targeted=True), id="languages"),
        pytest.param({"user_ids": frozenset({7})}, Exposure(NOBODY, targeted=True), id="users"),
        pytest.param({"group_ids": frozenset({7})}, Exposure(NOBODY, targeted=True), id="groups"),
        pytest.param({"custom": lambda _: None}, Exposure(NOBODY, targeted=True), id="a check of its own"),
    ],
)
def test_the_exposure_of_a_flag(flag: dict[str, Any], expected: Exposure) -> None:
    assert of_gate(FlagGate("gate", **flag)) == expected


def test_the_exposure_of_switches_and_samples() -> None:
    assert of_gate(SwitchGate("gate", active=True)) == Exposure(EVERYBODY)
    assert of_gate(SwitchGate("gate", active=False)) == Exposure(NOBODY)
    assert of_gate(SampleGate("gate", 12_500)) == Exposure(Decimal("12.5"))
    assert of_gate(None) == Exposure(NOBODY)


HALF = FlagGate("gate", threshold=50_000)


@pytest.mark.parametrize(
    ("mode", "kind", "gate", "expected"),
    [
        pytest.param(Mode.ROUTE, GateKind.FLAG, HALF, Exposure(Decimal(50)), id="routed through a gate"),
        pytest.param(Mode.ROUTE, GateKind.FLAG, None, Exposure(NOBODY), id="routed through a missing gate"),
        pytest.param(Mode.ROUTE, GateKind.NONE, None, Exposure(EVERYBODY), id="routed without a gate"),
        pytest.param(Mode.OBSERVE, GateKind.FLAG, HALF, Exposure(NOBODY), id="observed"),
        pytest.param(Mode.PIN, GateKind.NONE, None, Exposure(NOBODY), id="pinned"),
    ],
)
def test_the_exposure_of_a_rule(mode: str, kind: str, gate: Gate | None, expected: Exposure) -> None:
    assert of_rule(Rule(TargetKind.ENDPOINT, "names", mode, kind, "gate", gate)) == expected


@pytest.mark.parametrize("mode", Mode.values)
@pytest.mark.parametrize("contract", FROM_STRICTEST, ids=str)
def test_only_a_rule_that_routes_and_is_not_strict_hands_on_what_its_gate_opens_for(
    mode: str, contract: Contract
) -> None:
    gate = Exposure(Decimal(50), targeted=True)
    opens = mode == Mode.ROUTE and contract != STRICT
    rule = Rule(TargetKind.ENDPOINT, "names", mode, contract=contract)
    assert routed(rule, gate) == Exposure(Decimal(50 if opens else 0), opens, contract)


@pytest.mark.parametrize(("over_budget", "is_stale"), [("primary", False), ("stale", True), ("shed", False)])
def test_a_rule_may_show_stale_answers_only_if_it_says_so(over_budget: str, is_stale: bool) -> None:
    rule = Rule(TargetKind.ENDPOINT, "names", Mode.ROUTE, over_budget=over_budget)
    assert of_rule(rule).may_be_stale is is_stale


@given(PERCENTS)
def test_a_percentage_that_waffle_can_hold_is_its_own_share(percent: Decimal) -> None:
    assert of_gate(SampleGate("gate", threshold(percent))) == Exposure(percent)


@given(PERCENTS)
def test_a_percentage_is_read_as_it_is_written(percent: Decimal) -> None:
    assert parse_percent(str(percent)) == percent


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("0", "0"),
        ("100", "100"),
        ("2.5", "2.5"),
        ("2,5", "2.5"),
        ("5%", "5"),
        (" 5 % ", "5"),
        ("99.9", "99.9"),
        ("5.50", "5.5"),
        (".5", "0.5"),
    ],
)
def test_percentages_may_be_written_as_people_do(text: str, percent: str) -> None:
    assert parse_percent(text) == Decimal(percent)


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("", "no percentage"),
        ("%", "no percentage"),
        ("half", "no percentage"),
        ("5 percent", "no percentage"),
        ("1.2.3", "no percentage"),
        ("1_0", "no percentage"),
        ("\u0665", "no percentage"),
        ("-1", "outside 0 to 100"),
        ("101", "outside 0 to 100"),
        ("100.1", "outside 0 to 100"),
        ("1e400", "no percentage"),
        ("nan", "no percentage"),
        ("sNaN", "no percentage"),
        ("inf", "no percentage"),
        ("-inf", "no percentage"),
        ("5.55", "one decimal place"),
        ("0.01", "one decimal place"),
        ("99.99", "one decimal place"),
    ],
)
def test_other_texts_are_refused_with_the_reason(text: str, noun: str) -> None:
    with pytest.raises(ValidationError, match=noun):
        parse_percent(text)


@given(st.text(max_size=8))
def test_no_text_gets_anything_but_a_percentage_or_a_refusal(text: str) -> None:
    try:
        percent = parse_percent(text)
    except ValidationError:
        return
    assert 0 <= percent <= EVERYBODY
    assert percent * 10 == int(percent * 10)
