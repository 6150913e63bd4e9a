"""The freshness contracts of rules: what a rule may say, what the table holds, and what the policy makes of it."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from rollout import exposure
from rollout.contracts import ANY, LONGEST, OLDEST_SECONDS, SESSION, STRICT, Contract, Freshness
from rollout.exposure import Exposure
from rollout.loading import load_policy, load_rule
from rollout.models import GateKind, Mode, RoutingRule, TargetKind
from rollout.policy import Rule
from tests.support import route

pytestmark = pytest.mark.django_db

UNREADABLE = "bounded:0"
"""A text that the table takes and that is no contract."""


def rule(contract: str) -> RoutingRule:
    return RoutingRule(target="names", gate_kind=GateKind.NONE, contract=contract)


def compiled() -> Rule:
    """Return the only rule as the policy holds it."""
    (rule,) = load_policy("default").rules
    return rule


def store(contract: str) -> None:
    """Write a contract by hand, past everything that checks it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE readshift_routingrule SET contract = %s", [contract])


def test_a_new_rule_has_the_contract_of_sessions() -> None:
    assert RoutingRule().contract == "session"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("strict", "strict"),
        ("Session", "session"),
        (" any ", "any"),
        ("bounded:5", "bounded:5"),
        ("BOUNDED: 2.50", "bounded:2.5"),
        ("bounded:1e3", "bounded:1000"),
        ("bounded:.12345678901", "bounded:0.123"),
        ("bounded:9999999.9994", "bounded:9999999.999"),
    ],
)
def test_a_contract_is_stored_in_one_spelling(written: str, stored: str) -> None:
    named = rule(written)
    named.full_clean()
    named.save()
    assert RoutingRule.objects.get().contract == stored


@pytest.mark.parametrize("written", ["fresh", "bounded", "bounded:soon", UNREADABLE, "bounded:-1"])
def test_any_other_text_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(ValidationError) as caught:
        rule(written).full_clean()
    ((field, (message,)),) = caught.value.message_dict.items()
    assert field == "contract"
    assert f"“{written}” is no freshness contract" in message
    assert "such as bounded:5" in message


@pytest.mark.parametrize("stored", ["fresh", "", "Session", "bounded", "bounded:", "bounded:soon", "any\n"])
def test_the_database_refuses_a_contract_that_no_code_knows(stored: str) -> None:
    with pytest.raises(IntegrityError, match="readshift_known_contract"), transaction.atomic():
        rule(stored).save()


@pytest.mark.parametrize(
    "contract",
    [STRICT, SESSION, ANY, *(Contract(Freshness.BOUNDED, age) for age in (0.001, 5, OLDEST_SECONDS - 0.001))],
)
def test_every_contract_fits_the_table_and_arrives_in_the_policy_without_a_problem(contract: Contract) -> None:
    rule(str(contract)).save()
    assert compiled().contract == contract
    assert load_policy("default").problems == ()


def test_a_contract_that_cannot_be_read_keeps_no_process_from_its_policy_and_counts_as_strict() -> None:
    route("names")
    route("shop.Product", kind=TargetKind.MODEL)
    store(UNREADABLE)
    policy = load_policy("default")
    assert [rule.contract for rule in policy.rules] == [STRICT, STRICT]
    endpoint_problem, model_problem = policy.problems
    assert "rule for endpoint names cannot be read, so its reads go to the primary" in endpoint_problem
    assert f"“{UNREADABLE}” is no freshness contract. Write strict" in endpoint_problem
    assert "rule for model shop.Product" in model_problem


def test_without_the_constraint_no_text_keeps_a_process_from_its_policy() -> None:
    route("names")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_routingrule DROP CONSTRAINT readshift_known_contract")
    for text in ("", "fresh", "bounded:", "x" * LONGEST):
        store(text)
        assert compiled().contract == STRICT
        assert f"“{text}”" in "".join(load_policy("default").problems)


def test_a_rule_compiled_by_itself_has_the_same_contract_as_in_the_policy() -> None:
    stored = route("names", contract="bounded:5")
    assert load_rule(stored, "default") == compiled()
    store(UNREADABLE)
    stored.refresh_from_db()
    assert load_rule(stored, "default") == compiled()


@pytest.mark.parametrize(
    ("contract", "percent"), [("strict", 0), (UNREADABLE, 0), ("bounded:5", 100), ("session", 100), ("any", 100)]
)
def test_a_strict_rule_sends_nothing_to_replicas(contract: str, percent: int) -> None:
    route("names", mode=Mode.ROUTE)
    store(contract)
    assert exposure.of_rule(compiled()) == Exposure(Decimal(percent), contract=compiled().contract)
