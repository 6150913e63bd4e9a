"""Reading rules and gates from the primary: what arrives, in how many queries, and what is missing."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import isolate_apps
from waffle.models import AbstractBaseFlag, AbstractUserFlag, Flag, Sample, Switch

from rollout.gates import FlagGate, Gate, SampleGate, SwitchGate
from rollout.loading import _overrides_user_check, load_gate, load_policy, read_revision
from rollout.models import GateKind, Mode, OverBudget, PolicyRevision, RoutingRule, TargetKind
from rollout.policy import KILL_SWITCH, Rule
from tests.rollout.support import FakeSubject, Person, create_flag
from tests.support import route

pytestmark = pytest.mark.django_db


def gate_of(kind: str, name: str) -> Gate | None:
    route("gated", gate=(kind, name))
    return load_policy("default").endpoint_rules["gated"].gate


def test_a_rule_arrives_as_it_was_saved() -> None:
    route("shop.Product", kind=TargetKind.MODEL, mode=Mode.OBSERVE, pool="reporting", over_budget=OverBudget.SHED)
    assert load_policy("default").model_rules == {
        "shop.Product": Rule(TargetKind.MODEL, "shop.Product", Mode.OBSERVE, pool="reporting", over_budget="shed")
    }


def test_the_policy_carries_the_revision_at_which_it_was_read() -> None:
    PolicyRevision.objects.all().delete()
    assert read_revision("default") == load_policy("default").revision == 0
    route("names")
    assert read_revision("default") == load_policy("default").revision == 1


def test_a_flag_arrives_with_everything_that_decides() -> None:
    flag = create_flag(
        "checkout", percent="12.5", superusers=True, staff=True, authenticated=True, languages=" de, pt-br,,"
    )
    users = [User.objects.create(username=name) for name in ("one", "two")]
    group = Group.objects.create(name="testers")
    flag.users.set(users)
    flag.groups.add(group)
    create_flag("other").users.add(User.objects.create(username="three"))
    assert gate_of(GateKind.FLAG, "checkout") == FlagGate(
        name="checkout",
        threshold=12_500,
        superusers=True,
        staff=True,
        authenticated=True,
        languages=frozenset({"de", "pt-br"}),
        user_ids=frozenset(user.pk for user in users),
        group_ids=frozenset({group.pk}),
    )


@pytest.mark.parametrize("everyone", [True, False, None])
def test_a_flag_for_everyone_or_no_one_arrives_as_such(everyone: bool | None) -> None:
    create_flag("checkout", everyone=everyone)
    assert gate_of(GateKind.FLAG, "checkout") == FlagGate("checkout", everyone=everyone)


@pytest.mark.parametrize("active", [True, False])
def test_a_switch_arrives(active: bool) -> None:
    Switch.objects.create(name="on", active=active)
    assert gate_of(GateKind.SWITCH, "on") == SwitchGate("on", active)


def test_a_sample_arrives() -> None:
    Sample.objects.create(name="some", percent="0.1")
    assert gate_of(GateKind.SAMPLE, "some") == SampleGate("some", 100)


@pytest.mark.parametrize(
    ("table", "percent", "expected"),
    [
        ("waffle_flag", "-5", FlagGate("odd")),
        ("waffle_flag", "NaN", FlagGate("odd")),
        ("waffle_sample", "-0.1", SampleGate("odd", 0)),
        ("waffle_sample", "150", SampleGate("odd", 0)),
        ("waffle_sample", "NaN", SampleGate("odd", 0)),
    ],
)
def test_a_percentage_outside_0_to_100_that_somebody_stored_by_hand_counts_as_0(
    table: str, percent: str, expected: Gate
) -> None:
    create_flag("odd", percent=50)
    Sample.objects.create(name="odd", percent=50)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET percent = %s", [Decimal(percent)])
    assert gate_of(table.removeprefix("waffle_"), "odd") == expected


@pytest.mark.parametrize("kind", [GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE])
def test_a_missing_gate_is_reported_and_stands_as_missing(kind: str) -> None:
    assert gate_of(kind, "gone") is None
    policy = load_policy("default")
    assert policy.endpoint_rules["gated"].is_gate_missing
    assert "“gone”" in "".join(policy.problems)


def test_gates_of_another_kind_with_the_same_name_do_not_stand_in() -> None:
    Switch.objects.create(name="checkout", active=True)
    Sample.objects.create(name="checkout", percent=100)
    assert gate_of(GateKind.FLAG, "checkout") is None


def test_a_missing_kill_switch_is_reported_and_counts_as_off() -> None:
    Switch.objects.filter(name=KILL_SWITCH).delete()
    policy = load_policy("default")
    assert not policy.enabled
    assert "kill switch is missing" in "".join(policy.problems)


@pytest.mark.parametrize("active", [True, False])
def test_the_kill_switch_enables_or_disables_the_policy(active: bool) -> None:
    Switch.objects.update_or_create(name=KILL_SWITCH, defaults={"active": active})
    assert load_policy("default").enabled is active


@pytest.mark.parametrize("rules_of_each_kind", [1, 50])
def test_the_number_of_queries_does_not_grow_with_the_rules(
    rules_of_each_kind: int, django_assert_num_queries: Any
) -> None:
    user, group = User.objects.create(username="one"), Group.objects.create(name="testers")
    for number in range(rules_of_each_kind):
        flag = create_flag(f"flag{number}")
        flag.users.add(user)
        flag.groups.add(group)
        Switch.objects.create(name=f"switch{number}")
        Sample.objects.create(name=f"sample{number}", percent=10)
    RoutingRule.objects.bulk_create(
        RoutingRule(target=f"{kind}{number}", gate_kind=kind, gate_name=f"{kind}{number}")
        for kind in (GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE)
        for number in range(rules_of_each_kind)
    )
    # The revision, the rules, switches, flags, the flags' users and groups, samples, and drained replicas.
    with django_assert_num_queries(8):
        policy = load_policy("default")
    assert len(policy.endpoint_rules) == 3 * rules_of_each_kind
    assert policy.problems == ()


class PlainFlag(AbstractUserFlag):
    class Meta:
        abstract = True


class LeanFlag(AbstractBaseFlag):
    class Meta:
        abstract = True


class OwnCheckFlag(AbstractUserFlag):
    class Meta:
        abstract = True

    def is_active_for_user(self, user: Any) -> bool | None:
        return user.username.startswith("beta-") or super().is_active_for_user(user)


@pytest.mark.parametrize(
    ("model", "expected"), [(Flag, False), (PlainFlag, False), (LeanFlag, False), (OwnCheckFlag, True)]
)
def test_only_a_flag_model_with_a_check_of_its_own_is_asked_about_users(model: type, expected: bool) -> None:
    assert _overrides_user_check(model) is expected


@isolate_apps("waffle")
def test_a_custom_flag_model_with_a_check_of_its_own_is_asked_only_for_users(monkeypatch: pytest.MonkeyPatch) -> None:
    class BetaFlag(Flag):
        class Meta:
            proxy = True
            app_label = "waffle"

        asked: ClassVar[list[Any]] = []

        def is_active_for_user(self, user: Any) -> bool | None:
            self.asked.append(user)
            return user.pk == 7 or None

    monkeypatch.setattr("rollout.loading.get_waffle_flag_model", lambda: BetaFlag)
    create_flag("checkout")
    gate = gate_of(GateKind.FLAG, "checkout")
    assert gate is not None
    beta_user, other = Person(pk=7), Person(pk=8)
    assert [gate.is_open(FakeSubject(user_is=user)) for user in (beta_user, other, None)] == [True, False, False]
    assert BetaFlag.asked == [beta_user, other]


@pytest.mark.parametrize(("everyone", "loaded"), [(None, True), (True, False), (False, False)])
def test_a_policy_reads_no_users_of_a_flag_that_asks_nobody(everyone: bool | None, loaded: bool) -> None:
    user = User.objects.create(username="ada")
    create_flag("checkout", everyone=everyone).users.add(user)
    route(gate=(GateKind.FLAG, "checkout"))
    (rule,) = load_policy("default").rules
    (whole,) = (load_gate(GateKind.FLAG, "checkout", "default"),)
    assert isinstance(rule.gate, FlagGate)
    assert isinstance(whole, FlagGate)
    assert rule.gate.user_ids == (frozenset({user.pk}) if loaded else frozenset())
    assert whole.user_ids == {user.pk}
