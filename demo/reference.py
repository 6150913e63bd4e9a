"""`docs/settings.md`, written from the code that reads the setting: names, defaults, meanings, units, checks. Pure."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from rollout.options import ALWAYS_DENIED, Settings
from rollout.parsing import parse

FILE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

_OPENING = """\
# Settings

This page is generated from `rollout/options.py` and `rollout/parsing.py` by `manage.py demo_reference`, and a test
compares the two.

All options are keys of one dictionary, `READSHIFT`, in the settings of your project. Each of them may be left out. A
change takes a restart. `manage.py check` finds what is wrong, with the ids that each row names. While the dictionary
itself is wrong (`readshift.E001` to `readshift.E006`, `readshift.E020`, `readshift.E021`), nothing is routed: every
read goes to the primary.

```python
READSHIFT = {
    "CLUSTERS": {"default": {"REPLICAS": ["replica1", "replica2"]}},
    "GREATEST_LAG_SECONDS": 5,
}
```
"""

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "What is routed": ("CLUSTERS", "DENY", "ENDPOINTS", "ACTOR", "ENABLED"),
    "When a replica is fit": (
        "GREATEST_LAG_SECONDS",
        "RETURN_LAG_SECONDS",
        "SHORTEST_EJECTION_SECONDS",
        "PROBING",
        "PROBE_SECONDS",
        "PROBE_TIMEOUT_SECONDS",
        "SLOW_ANSWER_SECONDS",
        "SESSION_STATE",
    ),
    "What falls back to the primary": ("FALLBACK_SHARE", "FALLBACK_CONCURRENCY", "RETRY_AFTER_SECONDS"),
    "What an actor has written and seen": (
        "WAIT_SECONDS",
        "CACHE",
        "TOKEN_HEADER",
        "WRITING_FUNCTIONS",
    ),
    "How rules reach a process": (
        "POLICY_REFRESH",
        "POLICY_POLL_SECONDS",
        "POLICY_RELOAD_SECONDS",
        "POLICY_MAX_AGE_SECONDS",
    ),
    "What is counted and shown": (
        "FLUSH_SECONDS",
        "MAX_SERIES",
        "RETENTION_DAYS",
        "EXPLAIN_HEADER",
        "METRICS_TOKENS",
        "METRICS_TARGETS",
    ),
    "Shadow reads": (
        "SHADOW_QUEUE",
        "SHADOW_STATEMENT_BYTES",
        "SHADOW_TIMEOUT_SECONDS",
        "SHADOW_WAIT_SECONDS",
        "SHADOW_ROWS",
        "SHADOW_BYTES",
        "SHADOW_COLUMNS",
        "SHADOW_VALUES_DAYS",
        "SHADOW_REPORTS",
    ),
    "Programs and people outside": ("NOTIFY_EMAILS", "NOTIFY_URL", "WEBHOOK_SECRETS", "WEBHOOK_BEARER"),
}
"""The headings, with the options that come below each. An option that none of them names comes below the last one."""

_LAST_GROUP = "Others"

_MORE = {
    "CLUSTERS": "#a-cluster",
    "DENY": "#always-denied",
    "PROBING": "production.md#many-processes",
    "CACHE": "security.md#tokens",
    "EXPLAIN_HEADER": "decisions.md#why-did-it-go-there",
    "FALLBACK_SHARE": "failures.md",
    "SHADOW_COLUMNS": "security.md#shadow-reads",
    "NOTIFY_EMAILS": "rolling-back.md#being-told",
    "METRICS_TOKENS": "monitoring/README.md",
    "METRICS_TARGETS": "monitoring/README.md",
    "WEBHOOK_SECRETS": "rolling-back.md#the-webhook",
    "WEBHOOK_BEARER": "rolling-back.md#the-webhook",
}
"""Where an option is written about."""

_FURTHER_CHECKS = {
    "CLUSTERS": (4, 5, 6, 7, 8),
    "DENY": (8,),
    "ACTOR": (9,),
    "SESSION_STATE": (9,),
    "CACHE": (11,),
    "METRICS_TOKENS": (20,),
    "WEBHOOK_SECRETS": (20,),
}
"""The errors that an option may have besides the one for a value that means nothing, by their numbers."""

_WARNINGS = {"CLUSTERS": (1, 2, 3, 4, 5), "CACHE": (6,), "PROBING": (7,)}
"""The same of warnings."""

_UNITS = {"SECONDS": "seconds", "DAYS": "days", "BYTES": "bytes", "SHARE": "share, 0 to 1"}
"""By the last word of an option's name."""

_CLUSTER = """\
### A cluster

`CLUSTERS` holds a dictionary for each primary alias:

| Key | Default | Meaning |
|---|---|---|
| `REPLICAS` | `[]` | the aliases of its replicas, as a list, or as a dictionary from alias to the keys below |
| `APPS` | `[]` | the app labels that it serves; none is all that no other cluster claims |

And each replica may have:

| Key | Default | Meaning |
|---|---|---|
| `WEIGHT` | `1` | how many actors it gets, relative to the others of its pool; 0 gets none |
| `POOL` | `"default"` | the pool that it belongs to |
| `CAPACITY` | `None` | reads per second that it can carry, which a plan asks for before a larger share |
"""

CHECKS = {
    "readshift.E001": "`READSHIFT` is no dictionary",
    "readshift.E002": "an option has an unknown name",
    "readshift.E003": "an option has a value that means nothing",
    "readshift.E004": "an alias is not in `DATABASES`",
    "readshift.E005": "a replica is named twice, or is the primary of a cluster",
    "readshift.E006": "two clusters serve the same app",
    "readshift.E007": "an alias leads to something else than PostgreSQL",
    "readshift.E008": "`DENY` or `APPS` names something that is no app or model",
    "readshift.E009": "`ACTOR` or `SESSION_STATE` names something that is no function",
    "readshift.E010": "a module of your project hides one of our packages",
    "readshift.E011": "`CACHE` names an alias that is not in `CACHES`",
    "readshift.E020": "a secret of the webhook or a token of the metrics is short enough to be guessed",
    "readshift.E021": "`NOTIFY_URL` is no address that can be posted to",
    "readshift.W001": "a cluster has no replica",
    "readshift.W002": "a replica's alias has `ATOMIC_REQUESTS`, so that requests fail when it is down",
    "readshift.W003": "a replica's alias is no test mirror of its primary",
    "readshift.W004": "the router is not in `DATABASE_ROUTERS`",
    "readshift.W005": "the middleware is not in `MIDDLEWARE`",
    "readshift.W006": "processes do not share the cache that keeps tokens",
    "readshift.W007": '`PROBING` is `"shared"`, but the cache cannot take what one process found to the others',
}
"""Each system check that Readshift has: its id, and what it reports."""


def reference() -> str:
    """Return the page as the code has it."""
    return "\n".join([_OPENING, *_sections(), *_checks(), _denied()])


def meanings() -> dict[str, str]:
    """Return what each option means, as the docstring of `Settings` says it."""
    text = inspect.getdoc(Settings) or ""
    found = re.findall(r"^(\w+): (.*(?:\n {4}.*)*)", text, re.MULTILINE)
    return {name.upper(): " ".join(meaning.split()).removesuffix(".") for name, meaning in found}


def _sections() -> Iterator[str]:
    options = {option.name.upper(): option for option in fields(Settings)}
    grouped = {name for names in _GROUPS.values() for name in names}
    meant = meanings()
    for heading, names in {**_GROUPS, _LAST_GROUP: tuple(name for name in options if name not in grouped)}.items():
        if not names:
            continue
        yield f"## {heading}\n\n| Option | Default | Unit | Meaning | Value | Checks |\n|---|---|---|---|---|---|"
        yield from (_row(options[name], meant[name]) for name in names)
        yield ""
        if "CLUSTERS" in names:
            yield _CLUSTER


def _row(option: Field[Any], meaning: str) -> str:
    name = option.name.upper()
    # No option takes a bare object, so the parser says what it wants instead, and with which check.
    ((code, wanted),) = ((problem.code, problem.hint) for problem in parse({name: object()}, {})[1])
    wanted = wanted.removeprefix("Write ").split(". Make one")[0].removesuffix(".")
    more = f" ([more]({_MORE[name]}))" if name in _MORE else ""
    further = [f"readshift.E{number:03}" for number in _FURTHER_CHECKS.get(name, ())]
    warnings = [f"readshift.W{number:03}" for number in _WARNINGS.get(name, ())]
    checks = " ".join(f"`{each.removeprefix('readshift.')}`" for each in (code, *further, *warnings))
    cells = (f"`{name}`", f"`{_default(option)}`", _unit(name), _coded(meaning) + more, _coded(wanted), checks)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(option: Field[Any]) -> str:
    """Return the default as somebody would write it in settings."""
    if option.default is MISSING:
        return "{}" if option.default_factory is dict else "[]"
    if isinstance(option.default, frozenset | tuple):
        return "[]"
    if isinstance(option.default, str):
        return f'"{option.default}"'
    return f"{option.default:g}" if isinstance(option.default, float) else f"{option.default}"


def _unit(name: str) -> str:
    return _UNITS.get(name.rsplit("_", 1)[-1], "")


def _coded(text: str) -> str:
    """Set what is to be typed as it is in a fixed width: texts in quotes, lists, dictionaries and constants."""
    plain = r"`[^`]*`"
    typed = r"\{.*\}|\[[^\]]*\]|\"[^\"]+\"|\b(?:None|True|False|SECRET_KEY|CACHES)\b"
    return re.sub(f"({plain})|({typed})", lambda found: found[1] or f"`{found[2]}`", text)


def _checks() -> Iterator[str]:
    yield "## System checks\n\nErrors begin with E and warnings with W.\n\n| Id | It reports that |\n|---|---|"
    yield from (f"| `{code}` | {reported} |" for code, reported in CHECKS.items())
    yield ""


def _denied() -> str:
    labels = ", ".join(f"`{label}`" for label in sorted(ALWAYS_DENIED))
    return f"## Always denied\n\nReads of these apps stay on the primary, whatever `DENY` says: {labels}.\n"
