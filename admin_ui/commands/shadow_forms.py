"""A shadow read and a comparison of it, as text and as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django.db.models import Q

from rollout.models import RoutingRule, ShadowRead, ShadowState, TargetKind
from rollout.outcomes import Outcome, ShadowCause
from routers.captured import CapturedStatement
from routers.positions import format_lsn
from tasks.reporting.words import milliseconds

COMPARED = ("outcome", "cause", "replica", "staleness_ms", "primary_ms", "replica_ms", "rows", "details")
"""What a comparison says, by the names that `ShadowRead` stores it under."""


class Result(Protocol):
    """How one comparison ended. The fields are as in `ShadowRead`, which is one itself once it was compared."""

    @property
    def outcome(self) -> str: ...
    @property
    def cause(self) -> str | None: ...
    @property
    def replica(self) -> str: ...
    @property
    def staleness_ms(self) -> float | None: ...
    @property
    def primary_ms(self) -> float | None: ...
    @property
    def replica_ms(self) -> float | None: ...
    @property
    def rows(self) -> int | None: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


def read_as_json(read: ShadowRead, rules: Iterable[RoutingRule]) -> dict[str, Any]:
    """Return all that may be shown of a read: its statement without literals, and how it was compared."""
    return {
        "id": read.pk,
        "rules": [{"kind": rule.target_kind, "target": rule.target} for rule in rules],
        "cluster": read.cluster,
        "pool": read.pool,
        "alias": read.alias,
        "endpoint": read.endpoint,
        "model": read.model,
        "reason": read.reason,
        "fingerprint": read.fingerprint,
        "statement": read.statement,
        "captured_at": read.captured_at.isoformat(),
        "position": None if read.position is None else format_lsn(read.position),
        "state": read.state,
        "compared_at": None if read.compared_at is None else read.compared_at.isoformat(),
        "stored": result_as_json(read) if read.state == ShadowState.DONE else None,
    }


def result_as_json(result: Result) -> dict[str, Any]:
    """Return how one comparison ended."""
    return {name: getattr(result, name) for name in COMPARED} | {"cause": result.cause or ""}


def statement_as_json(statement: CapturedStatement) -> dict[str, Any]:
    """Return what was captured, in full. Values that are no text are written as their bytes in hexadecimal."""
    return {
        "query": statement.query.decode(errors="replace"),
        "parameters": [None if value is None else _readable(value) for value in statement.parameters],
        "session": dict(statement.session),
    }


def read_rows(read: ShadowRead, rules: Iterable[RoutingRule]) -> list[tuple[str, str]]:
    """Return names and values of a read for people."""
    return [
        ("shadow read", str(read.pk)),
        ("rule", ", ".join(map(str, rules)) or "none any more"),
        ("endpoint", read.endpoint),
        ("model", read.model),
        ("statement", read.statement),
        ("fingerprint", read.fingerprint),
        ("captured", f"{read.captured_at.isoformat(sep=' ', timespec='seconds')}, answered by {read.alias}"),
        ("position", "" if read.position is None else format_lsn(read.position)),
        ("compared", "" if read.compared_at is None else read.compared_at.isoformat(sep=" ", timespec="seconds")),
        ("state", "" if read.state == ShadowState.DONE else str(ShadowState(read.state).label)),
    ]


def result_rows(result: Result) -> list[tuple[str, str]]:
    """Return names and values of a comparison for people. What it does not say has an empty value."""
    return [
        ("outcome", _label(Outcome, result.outcome)),
        ("cause", _label(ShadowCause, result.cause or "")),
        ("replica", result.replica),
        ("staleness", _time(result.staleness_ms)),
        ("primary took", _time(result.primary_ms)),
        ("replica took", _time(result.replica_ms)),
        ("rows", "" if result.rows is None else str(result.rows)),
        *((f"  {path}", value) for path, value in _flat(result.details)),
    ]


def statement_rows(statement: CapturedStatement) -> list[tuple[str, str]]:
    """Return names and values of what was captured, in full."""
    shown = statement_as_json(statement)
    return [
        ("SQL", shown["query"]),
        *((f"${number}", "NULL" if value is None else value) for number, value in enumerate(shown["parameters"], 1)),
        *((name, value) for name, value in shown["session"].items()),
    ]


def rules_of(read: ShadowRead, using: str) -> list[RoutingRule]:
    """Return the rules that this read counts for, in one query."""
    of_endpoint = Q(target_kind=TargetKind.ENDPOINT, target=read.endpoint)
    of_model = Q(target_kind=TargetKind.MODEL, target=read.model)
    return list(RoutingRule.objects.using(using).filter(of_endpoint | of_model))


def _label(codes: type[Outcome] | type[ShadowCause], code: str) -> str:
    return str(codes(code).label) if code in codes.values else code


def _time(value: float | None) -> str:
    return "" if value is None else milliseconds(value)


def _readable(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"\\x{value.hex()}"


def _flat(details: Any, path: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(details, Mapping):
        for key, content in details.items():
            yield from _flat(content, f"{path}.{key}" if path else str(key))
    elif isinstance(details, list):
        for number, content in enumerate(details):
            yield from _flat(content, f"{path}.{number}")
    else:
        yield path, "null" if details is None else str(details)
