"""What rules are called by people and programs outside of the admin, and which rules a name means. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from rollout.models.rule import RoutingRule

_LONGEST_LIST = 10


@dataclass(frozen=True, slots=True)
class Named:
    """rules: those that were meant, each once, as the names come. problems: what is wrong with the other names."""

    rules: tuple[RoutingRule, ...]
    problems: tuple[str, ...]


def full_name(rule: RoutingRule) -> str:
    """Return the name that means this rule and no other, such as `endpoint:shop:product-list`."""
    return f"{rule.target_kind}:{rule.target}"


def rules_named(names: Iterable[str], rules: Collection[RoutingRule]) -> Named:
    """Return the rules that these names mean: full names, or targets that only one rule has."""
    found: dict[str, RoutingRule] = {}
    problems = []
    for name in names:
        meant = [rule for rule in rules if full_name(rule) == name] or [rule for rule in rules if rule.target == name]
        if len(meant) == 1:
            found.setdefault(full_name(meant[0]), meant[0])
        else:
            problems.append(_ambiguous(name, meant) if meant else _unknown(name, rules))
    return Named(tuple(found.values()), tuple(problems))


def _ambiguous(name: str, meant: Iterable[RoutingRule]) -> str:
    return f"“{name}” is the target of several rules. Write {' or '.join(sorted(map(full_name, meant)))}."


def _unknown(name: str, rules: Iterable[RoutingRule]) -> str:
    known = sorted(map(full_name, rules))
    by_target = {rule.target: full_name(rule) for rule in rules}
    near = get_close_matches(name, [*known, *by_target], n=3)
    if near:
        wanted = sorted({by_target.get(match, match) for match in near})
        return f"There is no rule “{name}”. Did you mean {' or '.join(wanted)}?"
    more = len(known) - _LONGEST_LIST
    listed = ", ".join(known[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")
    return f"There is no rule “{name}”. The rules are {listed or 'none: no rule was made yet'}."
