"""What a rule may say, as validation and as the database see it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import override_settings
from waffle.models import Flag, Sample, Switch

from rollout.models import GateKind, Mode, OverBudget, RoutingRule, TargetKind
from rollout.models.rule import gate_exists, gate_model

pytestmark = pytest.mark.django_db


def rule(**values: Any) -> RoutingRule:
    return RoutingRule(**{"target": "names", "gate_kind": GateKind.NONE, **values})


def model_rule(target: str) -> RoutingRule:
    return rule(target_kind=TargetKind.MODEL, target=target)


def errors_of(rule: RoutingRule) -> dict[str, str]:
    """Return the fields at fault, each with its messages in one string."""
    with pytest.raises(ValidationError) as caught:
        rule.full_clean()
    return {name: " ".join(messages) for name, messages in caught.value.message_dict.items()}


@pytest.mark.parametrize(
    "valid",
    [
        pytest.param(rule(), id="an endpoint"),
        pytest.param(rule(target="not a view yet"), id="an endpoint that nobody knows"),
        pytest.param(model_rule("shop.Product"), id="a model"),
        pytest.param(rule(mode=Mode.PIN), id="pinned"),
        pytest.param(rule(target="shop.product"), id="an endpoint named like a model"),
    ],
)
def test_these_rules_are_valid(valid: RoutingRule) -> None:
    valid.full_clean()


def test_a_new_rule_only_observes_until_somebody_says_otherwise() -> None:
    assert RoutingRule().mode == Mode.OBSERVE


def test_a_new_rule_reads_the_primary_over_budget_too() -> None:
    assert RoutingRule().over_budget == OverBudget.PRIMARY


def test_a_rule_is_called_by_its_target() -> None:
    assert str(model_rule("shop.Product")) == "model shop.Product"


@pytest.mark.parametrize(
    ("target", "nouns"),
    [
        pytest.param("shop.Nothing", ["No installed model", "“shop.Nothing”"], id="no such model"),
        pytest.param("nothing.Product", ["No installed model"], id="no such app"),
        pytest.param("Product", ["No installed model", "app_label.ModelName"], id="no app"),
        pytest.param("shop.Product.x", ["No installed model"], id="two dots"),
        pytest.param("shop.product", ["“shop.Product”", "letter case"], id="wrong letter case"),
        pytest.param("auth.User", ["deny list", 'READSHIFT["DENY"]'], id="denied always"),
        pytest.param("readshift.RoutingRule", ["deny list"], id="our own"),
        pytest.param("waffle.Flag", ["deny list"], id="waffle's"),
    ],
)
def test_a_model_that_cannot_be_routed_is_refused(target: str, nouns: list[str]) -> None:
    errors = errors_of(model_rule(target))
    assert list(errors) == ["target"]
    assert all(noun in errors["target"] for noun in nouns)


def test_a_model_that_the_host_denies_is_refused(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "DENY": ["shop.Product"]}
    assert "deny list" in errors_of(model_rule("shop.Product"))["target"]
    model_rule("shop.Category").full_clean()


def test_a_model_of_no_cluster_is_refused(settings: Any) -> None:
    settings.READSHIFT = {"CLUSTERS": {"default": {"REPLICAS": ["replica1"], "APPS": ["demo"]}}}
    assert "no cluster" in errors_of(model_rule("shop.Product"))["target"]


def test_an_unknown_pool_is_refused_with_the_pools_there_are(settings: Any) -> None:
    settings.READSHIFT = {
        "CLUSTERS": {"default": {"REPLICAS": {"replica1": {}, "replica2": {"POOL": "reporting"}}}},
    }
    rule(pool="reporting").full_clean()
    message = errors_of(rule(pool="report"))["pool"]
    assert "“report”" in message
    assert "default, reporting" in message


@override_settings(READSHIFT={})
def test_without_any_replica_there_is_no_pool() -> None:
    assert "names no replica" in errors_of(rule())["pool"]


@pytest.mark.parametrize("kind", [GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE])
def test_a_gate_must_exist_in_waffle_and_be_of_the_kind(kind: str) -> None:
    gated = rule(gate_kind=kind, gate_name="checkout")
    for other in {GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE} - {kind}:
        create_gate(other)
    assert not gate_exists(kind, "checkout")
    message = errors_of(gated)["gate_name"]
    assert f"no {kind} named “checkout”" in message
    create_gate(kind)
    assert gate_exists(kind, "checkout")
    gated.full_clean()


def create_gate(kind: str) -> None:
    gate_model(kind)._default_manager.create(name="checkout", **({"percent": 10} if kind == GateKind.SAMPLE else {}))


def test_every_kind_of_gate_has_its_model() -> None:
    kinds = (GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE)
    assert [gate_model(kind) for kind in kinds] == [Flag, Switch, Sample]


HALF_GATES = pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(GateKind.FLAG, "", id="kind without name"), pytest.param(GateKind.NONE, "checkout", id="reverse")],
)


@HALF_GATES
def test_validation_refuses_half_a_gate(kind: str, name: str) -> None:
    errors = errors_of(rule(gate_kind=kind, gate_name=name))
    assert "leave the name empty" in errors["__all__"]


@HALF_GATES
def test_the_database_refuses_half_a_gate(kind: str, name: str) -> None:
    with pytest.raises(IntegrityError, match="readshift_gate_has_kind_and_name"), transaction.atomic():
        rule(gate_kind=kind, gate_name=name).save()


def test_validation_refuses_a_second_rule_for_a_target() -> None:
    rule().save()
    assert "a rule for this target already" in errors_of(rule(mode=Mode.PIN))["__all__"]


def test_the_database_refuses_a_second_rule_for_a_target() -> None:
    rule().save()
    with pytest.raises(IntegrityError, match="readshift_one_rule_per_target"), transaction.atomic():
        rule(mode=Mode.PIN).save()


def test_an_endpoint_and_a_model_may_share_a_name() -> None:
    rule(target="shop.Product").save()
    model_rule("shop.Product").full_clean()
    model_rule("shop.Product").save()


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = rule(
        target_kind=TargetKind.MODEL, target="Nothing", gate_kind=GateKind.FLAG, gate_name="gone", pool="nowhere"
    )
    assert set(errors_of(wrong)) == {"target", "gate_name", "pool"}


@pytest.mark.parametrize(
    "words",
    [{"target_kind": "other"}, {"mode": "other"}, {"gate_kind": "other", "gate_name": "x"}, {"over_budget": "other"}],
)
def test_the_database_refuses_a_word_that_no_code_knows(words: dict[str, str]) -> None:
    with pytest.raises(IntegrityError, match="readshift_known_words"), transaction.atomic():
        rule(**words).save()
