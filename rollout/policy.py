"""The policy: all rules and gates in one immutable value that a process swaps whole."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType

from rollout.contracts import SESSION, Contract
from rollout.gates import Gate
from rollout.models.rule import GateKind, Mode, OverBudget, TargetKind
from rollout.options import DEFAULT_POOL

KILL_SWITCH = "readshift"
"""The waffle switch without which nothing is routed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the read path needs it.

    gate: None when the rule names none, or one that does not exist.
    contract_error: why the stored contract cannot be read, in words; `contract` is STRICT then.
    over_budget: one of `OverBudget`.
    shadow_share: the share of its reads that are captured for comparison, 0 to 1. shadow_per_second: how many of them a
    process captures in a second at most.
    """

    target_kind: str
    target: str
    mode: str
    gate_kind: str = ""
    gate_name: str = ""
    gate: Gate | None = None
    pool: str = DEFAULT_POOL
    contract: Contract = SESSION
    contract_error: str = ""
    over_budget: str = OverBudget.PRIMARY.value
    shadow_share: float = 0.0
    shadow_per_second: int = 20

    @property
    def is_gate_missing(self) -> bool:
        return bool(self.gate_kind) and self.gate is None

    def __str__(self) -> str:
        return f"{self.target_kind} {self.target}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What every decision of a process is taken from.

    revision: the revision that was current, or already past, when the policy was read.
    enabled: the kill switch; False when it is off or does not exist.
    endpoint_rules, model_rules: by target.
    drained: aliases of replicas that serve no routed reads until an operator says so.
    problems: what a person should put right, in words. None of them stops a request.
    """

    revision: int
    enabled: bool
    endpoint_rules: Mapping[str, Rule] = field(default_factory=dict)
    model_rules: Mapping[str, Rule] = field(default_factory=dict)
    drained: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    @property
    def has_rules(self) -> bool:
        return bool(self.endpoint_rules or self.model_rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, the endpoints' first."""
        return (*self.endpoint_rules.values(), *self.model_rules.values())

    def rule_of(self, target_kind: str, target: str) -> Rule | None:
        """Return the rule for one target, or None where the policy is of a moment without it."""
        return (self.endpoint_rules if target_kind == TargetKind.ENDPOINT else self.model_rules).get(target)

    def rules_for(self, endpoint: str, model: str) -> tuple[Rule, ...]:
        """Return the rules that a read of this model at this endpoint must satisfy, the endpoint's first."""
        found = (self.endpoint_rules.get(endpoint), self.model_rules.get(model))
        return tuple(rule for rule in found if rule is not None)


def compile_policy(
    revision: int,
    kill_switch: bool | None,
    rules: Iterable[Rule],
    drained: AbstractSet[str] = frozenset(),
    replicas: AbstractSet[str] = frozenset(),
) -> Policy:
    """Build the policy from what was read.

    kill_switch: None when the switch does not exist. drained: the aliases taken out of service. replicas: the aliases
    that there are.
    """
    endpoint_rules: dict[str, Rule] = {}
    model_rules: dict[str, Rule] = {}
    problems = []
    if kill_switch is None:
        problems.append(
            f"The kill switch is missing, so every read goes to the primary. Create the waffle switch "
            f"“{KILL_SWITCH}” and turn it on."
        )
    for rule in rules:
        (endpoint_rules if rule.target_kind == TargetKind.ENDPOINT else model_rules)[rule.target] = rule
        if rule.is_gate_missing:
            problems.append(
                f"The rule for {rule} uses the {GateKind(rule.gate_kind).label.lower()} “{rule.gate_name}”, which does "
                f"not exist, so its reads go to the primary. Create it again or choose another gate."
            )
        if rule.contract_error:
            problems.append(
                f"The freshness contract of the rule for {rule} cannot be read, so its reads go to the primary. "
                f"{rule.contract_error}"
            )
    problems += _contradictions(endpoint_rules.values(), model_rules.values())
    problems += (
        f"“{alias}” is drained and is no replica of the READSHIFT setting any more. Let it serve again on the "
        f"dashboard to forget it, or name it in the setting again."
        for alias in sorted(drained - replicas)
    )
    return Policy(
        revision=revision,
        enabled=bool(kill_switch),
        endpoint_rules=MappingProxyType(endpoint_rules),
        model_rules=MappingProxyType(model_rules),
        drained=frozenset(drained),
        problems=tuple(problems),
    )


def _contradictions(endpoint_rules: Iterable[Rule], model_rules: Iterable[Rule]) -> Iterable[str]:
    """Name each pool that only some model rules use while endpoint rules route to another.

    Which endpoints read which models is known only at run time, so this reports what can never agree.
    """
    pools = {rule.pool for rule in endpoint_rules if rule.mode == Mode.ROUTE}
    for rule in model_rules:
        if rule.mode == Mode.ROUTE and pools and rule.pool not in pools:
            yield (
                f"The rule for {rule} routes to the pool “{rule.pool}”, but no endpoint's rule does: wherever both "
                f"match, the read goes to the primary. Give both the same pool."
            )
