"""Reads the rules and waffle's tables from the primary and compiles them. The only reader of control data."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, QuerySet, Value
from waffle import get_waffle_flag_model, get_waffle_sample_model, get_waffle_switch_model
from waffle.models import AbstractBaseFlag, AbstractUserFlag

from rollout.bucketing import threshold
from rollout.contracts import STRICT, Contract, parse_contract
from rollout.gates import FlagGate, Gate, SampleGate, SwitchGate
from rollout.models import DrainedReplica, GateKind, PolicyRevision, RoutingRule
from rollout.policy import KILL_SWITCH, Policy, Rule, compile_policy
from rollout.settings import get_settings

_RULE_FIELDS = (
    *("target_kind", "target", "mode", "gate_kind", "gate_name", "pool", "contract", "over_budget"),
    *("shadow_percent", "shadow_per_second"),
)
_FLAG_FIELDS = ("pk", "name", "everyone", "percent", "superusers", "staff", "authenticated", "languages")
"""What decides. Ten thousand rows with all else, each as an instance of its model, take three times as long."""


def read_revision(using: str) -> int:
    """Return the current revision; 0 before the first change. Raises what the database raises."""
    return PolicyRevision.objects.using(using).values_list("revision", flat=True).first() or 0


def load_policy(using: str, revision: int | None = None) -> Policy:
    """Read everything from one alias and compile it. Raises what the database raises, before migrate above all.

    The revision is read first: a change that commits in between makes the policy newer than it says, and never older.
    revision: the current one, from whoever has just read it.

    All processes do this at the same time when something changes, and reads come back to the primary as fast as they do
    it. So nothing is read that decides nothing: a flag that is open or closed for everyone has no targets here.
    """
    if revision is None:
        revision = read_revision(using)
    rows = list(RoutingRule.objects.using(using).values_list(*_RULE_FIELDS, named=True))
    names: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        names[row.gate_kind].add(row.gate_name)
    switches = _switches(using, {*names[GateKind.SWITCH], KILL_SWITCH})
    gates: dict[str, Mapping[str, Gate]] = {
        GateKind.FLAG: _flags(using, names[GateKind.FLAG], with_idle_targets=False),
        GateKind.SWITCH: switches,
        GateKind.SAMPLE: _samples(using, names[GateKind.SAMPLE]),
    }
    kill_switch = switches.get(KILL_SWITCH)
    return compile_policy(
        revision,
        kill_switch.active if kill_switch else None,
        (_rule(row, gates.get(row.gate_kind, {}).get(row.gate_name)) for row in rows),
        drained=set(DrainedReplica.objects.using(using).values_list("alias", flat=True)),
        replicas=get_settings().replicas.keys(),
    )


def is_kill_switch_on(using: str) -> bool:
    """Say whether the kill switch lets rules decide, in one query. Raises what the database raises."""
    kill_switch = _switches(using, {KILL_SWITCH}).get(KILL_SWITCH)
    return kill_switch is not None and kill_switch.active


def load_rule(row: RoutingRule, using: str) -> Rule:
    """Compile one rule as it stands in memory, saved or not, with its gate from this alias."""
    return _rule(row, load_gate(row.gate_kind, row.gate_name, using))


def load_gate(kind: str, name: str, using: str) -> Gate | None:
    """Read and compile one gate. Returns None for no kind, and for a gate that does not exist."""
    read: dict[str, Callable[[str, Iterable[str]], Mapping[str, Gate]]] = {
        GateKind.FLAG: _flags,
        GateKind.SWITCH: _switches,
        GateKind.SAMPLE: _samples,
    }
    return read[kind](using, [name]).get(name) if kind else None


def _rule(row: Any, gate: Gate | None) -> Rule:
    """Compile a row, which has at least `_RULE_FIELDS`."""
    contract, contract_error = _contract(row.contract)
    return Rule(
        target_kind=row.target_kind,
        target=row.target,
        mode=row.mode,
        gate_kind=row.gate_kind,
        gate_name=row.gate_name,
        gate=gate,
        pool=row.pool,
        contract=contract,
        contract_error=contract_error,
        over_budget=row.over_budget,
        shadow_share=float(row.shadow_percent) / 100,
        shadow_per_second=row.shadow_per_second,
    )


@lru_cache(maxsize=128)
def _contract(text: str) -> tuple[Contract, str]:
    """Return the contract that counts, which is strict when the stored one cannot be read, and why it cannot."""
    try:
        return parse_contract(text), ""
    except ValueError as error:
        return STRICT, str(error)


def _switches(using: str, names: Iterable[str]) -> dict[str, SwitchGate]:
    rows = _whose(get_waffle_switch_model()._default_manager.using(using), "name", names)
    return {name: SwitchGate(name, active) for name, active in rows.values_list("name", "active")}


def _samples(using: str, names: Iterable[str]) -> dict[str, Gate]:
    rows = _whose(get_waffle_sample_model()._default_manager.using(using), "name", names)
    return {name: SampleGate(name, threshold(percent)) for name, percent in rows.values_list("name", "percent")}


def _flags(using: str, names: Iterable[str], *, with_idle_targets: bool = True) -> dict[str, FlagGate]:
    """Return flags by name. with_idle_targets: whether also those for everyone or nobody tell which users they have."""
    model = get_waffle_flag_model()
    found = _whose(model._default_manager.using(using), "name", names)
    has_own_check = _overrides_user_check(model)
    rows = list(found if has_own_check else found.values_list(*_FLAG_FIELDS, named=True))
    asked = [row.pk for row in rows if with_idle_targets or row.everyone is None]
    targets = {
        relation: _related_ids(using, model, relation, asked) if asked else {}
        for relation in ("users", "groups")
        if relation in {field.name for field in model._meta.many_to_many}
    }
    return {
        row.name: FlagGate(
            name=row.name,
            everyone=row.everyone,
            threshold=threshold(row.percent),
            superusers=row.superusers,
            staff=row.staff,
            authenticated=row.authenticated,
            languages=_languages(row.languages),
            user_ids=targets.get("users", {}).get(row.pk, frozenset()),
            group_ids=targets.get("groups", {}).get(row.pk, frozenset()),
            custom=row.is_active_for_user if has_own_check else None,
        )
        for row in rows
    }


@lru_cache(maxsize=128)
def _languages(codes: str) -> frozenset[str]:
    return frozenset(code.strip() for code in codes.split(",") if code.strip())


def _overrides_user_check(model: Any) -> bool:
    """Say whether a custom flag model has a rule of its own for users, which only it can evaluate."""
    return model.is_active_for_user not in {AbstractUserFlag.is_active_for_user, AbstractBaseFlag.is_active_for_user}


def _related_ids(using: str, model: Any, relation: str, keys: Collection[Any]) -> dict[Any, frozenset[Any]]:
    """Return flag pk -> related pks, in one query for all flags."""
    found: dict[Any, set[Any]] = defaultdict(set)
    flags = _whose(model._default_manager.using(using), "pk", keys).filter(**{f"{relation}__isnull": False})
    for flag, related in flags.values_list("pk", f"{relation}__pk"):
        found[flag].add(related)
    return {flag: frozenset(related) for flag, related in found.items()}


def _whose(rows: QuerySet[Any], field: str, values: Iterable[Any]) -> QuerySet[Any]:
    """Return those whose field has one of the values, which are one parameter of the statement, however many.

    Where there is no value, nothing is asked.
    """
    wanted = list(values)
    if not wanted:
        return rows.none()
    kind: Any = rows.model._meta.pk if field == "pk" else rows.model._meta.get_field(field)
    array = Value(wanted, output_field=ArrayField(kind))
    is_one = Func(F(field), array, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField())
    return rows.filter(is_one)
