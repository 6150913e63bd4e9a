"""From the raw `READSHIFT` setting to `Settings`, with everything that can be wrong with it."""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, TypeGuard

from rollout.options import DEFAULT_POOL, Cluster, Problem, Replica, Settings
from rollout.outside import problems_of_address, problems_of_secrets

_EXAMPLES = {
    "DENY": "billing.Invoice",
    "ENDPOINTS": "nightly-report",
    "NOTIFY_EMAILS": "on-call@example.com",
    "SHADOW_COLUMNS": "shop_product.price",
    "WRITING_FUNCTIONS": "billing.charge",
}
"""The options that are lists of names."""

_FUNCTION = re.compile(r"(?:[^\W\d][\w$]*\.)?[^\W\d][\w$]*")

_OUTSIDE: dict[str, tuple[Callable[[str, object], Iterator[Problem]], Callable[[Any], object]]] = {
    "METRICS_TOKENS": (problems_of_secrets, tuple),
    "NOTIFY_URL": (problems_of_address, lambda address: address),
    "WEBHOOK_SECRETS": (problems_of_secrets, tuple),
}
"""The options that may hold what must not be shown: what finds their problems, and what makes a setting of them."""

_OTHERS = {"CLUSTERS", *_EXAMPLES, *_OUTSIDE}
_PLAIN_OPTIONS = {option.name.upper(): option for option in fields(Settings) if option.name.upper() not in _OTHERS}
_OPTIONS = ("CLUSTERS", *_EXAMPLES, *_OUTSIDE, *_PLAIN_OPTIONS)


def parse(raw: object, databases: Mapping[str, Any]) -> tuple[Settings, tuple[Problem, ...]]:
    """Turn the raw setting into `Settings` and the list of its problems.

    With a problem, the settings returned route nothing, so that a process which skipped the system checks reads from
    Django's default database rather than from a wrong one.
    """
    if not isinstance(raw, Mapping):
        shape = Problem(
            "readshift.E001",
            f"READSHIFT must be a dictionary, but it is {raw!r}.",
            'Write READSHIFT = {"CLUSTERS": {"default": {"REPLICAS": ["replica1"]}}}.',
        )
        return Settings(enabled=False), (shape,)
    problems = [*_unknown_keys("READSHIFT", raw, _OPTIONS)]
    values: dict[str, Any] = {}
    for name, option in _PLAIN_OPTIONS.items():
        if name in raw:
            problem = _plain_problem(name, raw[name])
            problems.extend(problem)
            values[option.name] = raw[name]
    for name, example in _EXAMPLES.items():
        names = raw.get(name, ())
        wrong = [*_problems_of_names(name, names, example)]
        problems.extend(wrong)
        if not wrong:
            values[name.lower()] = frozenset(names)
    for name, (find_problems, convert) in _OUTSIDE.items():
        if name in raw:
            wrong = [*find_problems(name, raw[name])]
            problems.extend(wrong)
            if not wrong:
                values[name.lower()] = convert(raw[name])
    clusters, cluster_problems = _clusters(raw.get("CLUSTERS", {}), databases)
    problems.extend(cluster_problems)
    if problems:
        return Settings(enabled=False), tuple(problems)
    return Settings(clusters=clusters, **values), ()


_TEXTS = {
    "ACTOR": 'None or a dotted path, such as "shop.actors.account_of"',
    "CACHE": 'an alias of CACHES, such as "default"',
    "SESSION_STATE": 'None or a dotted path, such as "shop.tenants.set_search_path"',
    "TOKEN_HEADER": 'None or the name of a header, such as "X-Readshift-Token"',
}

_WORDS = {"POLICY_REFRESH": ("auto", "background", "inline"), "PROBING": ("process", "shared")}
"""Options that are one of a few words."""

_BOUNDED: dict[str, tuple[Any, float, str]] = {
    "FALLBACK_SHARE": (int | float, 1, "None or a share from 0 to 1, such as 0.2"),
    "FALLBACK_CONCURRENCY": (int, math.inf, "None or a whole number, 0 or above"),
}
"""Options that may be None, with their type and greatest value."""


def _wrong(what: str, value: object, wanted: str) -> Problem:
    return Problem("readshift.E003", f"{what} is {value!r}.", f"Write {wanted}.")


def _unknown_keys(where: str, raw: Mapping[Any, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    for key in raw:
        if key not in known:
            close = get_close_matches(str(key).upper(), known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"The options are {', '.join(sorted(known))}."
            yield Problem("readshift.E002", f"{where} has the unknown option {key!r}.", hint)


def _is_list_of_names(value: object) -> TypeGuard[Collection[str]]:
    return isinstance(value, list | tuple | set | frozenset) and all(isinstance(entry, str) for entry in value)


def _problems_of_names(name: str, names: object, example: str) -> Iterator[Problem]:
    if not _is_list_of_names(names):
        yield _wrong(f'READSHIFT["{name}"]', names, f'a list of names, such as ["{example}"]')
    elif name == "WRITING_FUNCTIONS":
        for odd in sorted(entry for entry in names if not _FUNCTION.fullmatch(entry)):
            wanted = f"the function's name without quotes and arguments, such as charge or {example}"
            yield _wrong(f'An entry of READSHIFT["{name}"]', odd, wanted)


def _plain_problem(name: str, value: object) -> Iterator[Problem]:
    if wanted := _wanted(name, value):
        yield _wrong(f'READSHIFT["{name}"]', value, wanted)


def _wanted(name: str, value: object) -> str | None:
    """Return what the option should be instead of this value, or None when the value will do."""
    default = _PLAIN_OPTIONS[name].default
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "True or False"
    if name in _WORDS:
        return None if isinstance(value, str) and value in _WORDS[name] else _either(_WORDS[name])
    if name in _TEXTS:
        is_text = isinstance(value, str) and value != ""
        return None if is_text or (value is None and default is None) else _TEXTS[name]
    return _wanted_number(name, value, default)


def _either(words: tuple[str, ...]) -> str:
    *others, last = (f'"{word}"' for word in words)
    return f"{', '.join(others)} or {last}"


def _wanted_number(name: str, value: object, default: object) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if default is None:
        kind, highest, wanted = _BOUNDED[name]
        is_within = is_number and isinstance(value, kind) and 0 <= value <= highest
        return None if value is None or is_within else wanted
    if isinstance(default, int):
        return None if is_number and isinstance(value, int) and value >= 1 else "a whole number above 0"
    lowest_wanted = "a number, 0 or above" if default == 0 else "a number above 0"
    if not is_number or not 0 <= value < math.inf or value == 0 != default:  # type: ignore[operator]
        return lowest_wanted
    return None


def _clusters(raw: object, databases: Mapping[str, Any]) -> tuple[dict[str, Cluster], list[Problem]]:
    if not isinstance(raw, Mapping):
        return {}, [_wrong('READSHIFT["CLUSTERS"]', raw, '{"default": {"REPLICAS": ["replica1"]}}')]
    problems: list[Problem] = []
    clusters: dict[str, Cluster] = {}
    owner: dict[str, str] = {}
    for primary, options in raw.items():
        where = f'READSHIFT["CLUSTERS"]["{primary}"]'
        if primary not in databases:
            problems.append(_unknown_alias(where, primary, databases))
            continue
        if not isinstance(options, Mapping):
            problems.append(_wrong(where, options, '{"REPLICAS": ["replica1"]}'))
            continue
        problems.extend(_unknown_keys(where, options, ("REPLICAS", "APPS")))
        apps = options.get("APPS", ())
        if not _is_list_of_names(apps):
            problems.append(_wrong(f'{where}["APPS"]', apps, 'a list of app labels, such as ["ledger"]'))
            apps = ()
        replicas = []
        for replica in _replicas(where, options.get("REPLICAS", ()), problems):
            if replica.alias not in databases:
                problems.append(_unknown_alias(f'{where}["REPLICAS"]', replica.alias, databases))
            elif replica.alias == primary or replica.alias in raw:
                problems.append(
                    Problem(
                        "readshift.E005",
                        f"The replica {replica.alias!r} of {where} is itself the primary of a cluster.",
                        "Give the standby an alias of its own in DATABASES and name that alias here.",
                    )
                )
            elif replica.alias in owner:
                problems.append(
                    Problem(
                        "readshift.E005",
                        f"The replica {replica.alias!r} is named twice, in the clusters {owner[replica.alias]!r} and "
                        f"{primary!r}.",
                        "Name each replica once: its data comes from one primary.",
                    )
                )
            else:
                owner[replica.alias] = primary
                replicas.append(replica)
        clusters[primary] = Cluster(primary, tuple(replicas), frozenset(apps))
    problems.extend(_overlaps(clusters))
    return clusters, problems


def _replicas(where: str, raw: object, problems: list[Problem]) -> Iterator[Replica]:
    entries: Mapping[Any, Any]
    if isinstance(raw, Mapping):
        entries = raw
    elif _is_list_of_names(raw):
        entries = {alias: {} for alias in raw}
        if len(entries) != len(raw):
            problems.append(_wrong(f'{where}["REPLICAS"]', raw, "each alias once"))
    else:
        problems.append(_wrong(f'{where}["REPLICAS"]', raw, 'a list of aliases, or {"replica1": {"WEIGHT": 2}}'))
        return
    for alias, options in entries.items():
        here = f'{where}["REPLICAS"]["{alias}"]'
        if not isinstance(options, Mapping):
            problems.append(_wrong(here, options, '{"WEIGHT": 2, "POOL": "reporting"}'))
            continue
        problems.extend(_unknown_keys(here, options, ("WEIGHT", "POOL", "CAPACITY")))
        weight, pool = options.get("WEIGHT", 1), options.get("POOL", DEFAULT_POOL)
        if not isinstance(weight, int) or isinstance(weight, bool) or weight < 0:
            problems.append(_wrong(f'{here}["WEIGHT"]', weight, "a whole number, 0 or above"))
            continue
        if not isinstance(pool, str) or not pool:
            problems.append(_wrong(f'{here}["POOL"]', pool, 'the name of a pool, such as "reporting"'))
            continue
        capacity = options.get("CAPACITY")
        if capacity is not None and not _is_capacity(capacity):
            problems.append(_wrong(f'{here}["CAPACITY"]', capacity, "None or a number of reads per second above 0"))
            continue
        yield Replica(alias, weight, pool, capacity)


def _is_capacity(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _unknown_alias(where: str, alias: object, databases: Mapping[str, Any]) -> Problem:
    return Problem(
        "readshift.E004",
        f"{where} names the alias {alias!r}, which is not in DATABASES.",
        f"The aliases in DATABASES are {', '.join(sorted(databases))}. Add {alias!r} there or correct the name.",
    )


def _overlaps(clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    claimed: dict[str, str] = {}
    catch_all = [primary for primary, cluster in clusters.items() if not cluster.apps]
    if len(catch_all) > 1:
        yield Problem(
            "readshift.E006",
            f"The clusters {', '.join(sorted(catch_all))} all serve every app, because none of them has APPS.",
            'Give all but one of them the app labels it serves, such as "APPS": ["ledger"].',
        )
    for primary, cluster in clusters.items():
        for label in sorted(cluster.apps):
            if label in claimed:
                yield Problem(
                    "readshift.E006",
                    f"The app {label!r} is served by two clusters, {claimed[label]!r} and {primary!r}.",
                    "Name it in the cluster whose primary holds its tables, and only there.",
                )
            claimed[label] = primary
