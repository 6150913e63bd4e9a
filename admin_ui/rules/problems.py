"""What a person should know about a rule: what is wrong with it, and where another rule holds it back."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from difflib import get_close_matches

from rollout.loading import load_policy
from rollout.models import Mode, RoutingRule, Tally, TargetKind
from rollout.options import Settings
from rollout.policy import Policy, Rule, compile_policy
from rollout.settings import get_settings
from routers.endpoints import known_endpoints

MANY = 3


def problems_of(rule: Rule, endpoints: AbstractSet[str], settings: Settings) -> tuple[str, ...]:
    """Say what keeps this rule from working. Pure. `endpoints` are the names that can occur."""
    is_sound = not rule.is_gate_missing and not rule.contract_error
    problems = [] if is_sound else list(compile_policy(revision=0, kill_switch=True, rules=[rule]).problems)
    if rule.target_kind == TargetKind.ENDPOINT and rule.target not in endpoints:
        problems.append(
            f"The rule for {rule} matches nothing: no view, task or command has that name, and no read has been "
            f'counted under it. Correct the name, or declare it in READSHIFT["ENDPOINTS"].'
        )
    if not any(replica.pool == rule.pool for replica in settings.replicas.values()):
        problems.append(
            f"The rule for {rule} uses the pool “{rule.pool}”, which has no replica, so its reads go to the primary. "
            f"Choose another pool, or put a replica into it in the READSHIFT setting."
        )
    return tuple(problems)


def possible_endpoints(targets: Iterable[str], using: str) -> AbstractSet[str]:
    """Return the endpoints that can occur: those that the project declares, and of `targets` those already counted."""
    declared = known_endpoints()
    unknown = set(targets) - declared
    if not unknown:
        return declared
    counted = Tally.objects.using(using).filter(endpoint__in=unknown).values_list("endpoint", flat=True).distinct()
    return declared | set(counted)


def unknown_endpoint_message(name: str, using: str) -> str:
    """Say that no endpoint has this name, which ones come close, and how to declare it by hand."""
    counted = Tally.objects.using(using).values_list("endpoint", flat=True).distinct()
    close = get_close_matches(name, sorted({*known_endpoints(), *counted} - {""}), n=MANY)
    meant = f" Did you mean {' or '.join(f'“{match}”' for match in close)}?" if close else ""
    return (
        f"No view, task or command is named “{name}”, and no read has been counted under it.{meant} "
        f'If your code gives this name to a unit, declare it: READSHIFT["ENDPOINTS"] = ["{name}"].'
    )


def conflicts_of(rule: RoutingRule, using: str) -> Iterator[str]:
    """Name the rules that pin what this one routes, or the other way round, wherever reads were counted under both."""
    if rule.mode == Mode.OBSERVE:
        return
    is_endpoint = rule.target_kind == TargetKind.ENDPOINT
    own, other = ("endpoint", "model") if is_endpoint else ("model", "endpoint")
    opposed = RoutingRule.objects.using(using).filter(
        target_kind=TargetKind.MODEL if is_endpoint else TargetKind.ENDPOINT,
        mode=Mode.PIN if rule.mode == Mode.ROUTE else Mode.ROUTE,
    )
    rivals = {rival.target: rival for rival in opposed}
    counted = Tally.objects.using(using).filter(**{own: rule.target, f"{other}__in": list(rivals)})
    for target in sorted(counted.values_list(other, flat=True).distinct()):
        pinning, routing = (rule, rivals[target]) if rule.mode == Mode.PIN else (rivals[target], rule)
        yield (
            f"The rule for {pinning} pins reads that the rule for {routing} routes. Where both match, the strictest "
            f"wins: those reads stay on the primary."
        )


def warnings_about(rule: RoutingRule, using: str, policy: Policy | None = None) -> tuple[str, ...]:
    """Return everything that should be said about one stored rule, nothing if somebody has just deleted it.

    policy: what was just read, if it was.
    """
    is_endpoint = rule.target_kind == TargetKind.ENDPOINT
    policy = policy or load_policy(using)
    compiled = policy.rule_of(rule.target_kind, rule.target)
    if compiled is None:
        return ()
    endpoints = possible_endpoints([rule.target] if is_endpoint else [], using)
    return (*problems_of(compiled, endpoints, get_settings()), *conflicts_of(rule, using))
