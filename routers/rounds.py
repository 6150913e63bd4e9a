"""What one process tells all others about the servers of a cluster, in the form in which it lies in the cache. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from routers.health import Finding
from routers.positions import Position

VERSION = 1
"""Of the form. A release that reads another one has leaders of its own, since this is part of the keys as well."""

_FIELDS = frozenset(field.name for field in fields(Finding)) - {"position", "slack", "is_told"}


@dataclass(frozen=True, slots=True)
class Round:
    """What a leader knows at one moment. All times are of its own monotonic clock, in seconds.

    owner: the name of the leader, which no other process has, nor the same one at another time. number: grows with each
    round; 0 is the one that wins the election. at: before the round was published. confirmed: earlier rounds, each with
    a time at which the leader had read it back. findings: the last one about each server, by alias. doubts: servers
    that take so long to answer that they may hang.
    """

    owner: str
    number: int
    at: float
    confirmed: Mapping[int, float] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    doubts: frozenset[str] = frozenset()


def encode(told: Round) -> dict[str, Any]:
    """Return a round as plain data, of the kinds that JSON has."""
    return {
        "version": VERSION,
        "owner": told.owner,
        "number": told.number,
        "at": told.at,
        "confirmed": [[number, at] for number, at in told.confirmed.items()],
        "findings": {alias: _encode_finding(finding) for alias, finding in told.findings.items()},
        "doubts": sorted(told.doubts),
    }


def decode(data: object) -> Round | None:
    """Return the round that lay in the cache, or None for anything that is not one of this version."""
    try:
        return _decode(data) if isinstance(data, dict) and data["version"] == VERSION else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _decode(data: dict[str, Any]) -> Round:
    return Round(
        str(data["owner"]),
        int(data["number"]),
        float(data["at"]),
        {int(number): float(at) for number, at in data["confirmed"]},
        {str(alias): _decode_finding(finding) for alias, finding in data["findings"].items()},
        frozenset(map(str, data["doubts"])),
    )


def _encode_finding(finding: Finding) -> dict[str, Any]:
    position = finding.position
    return {
        **{name: getattr(finding, name) for name in _FIELDS},
        "position": None if position is None else [position.system, position.timeline, position.lsn],
    }


def _decode_finding(data: dict[str, Any]) -> Finding:
    position = data["position"]
    if position is not None:
        system, timeline, lsn = map(int, position)
        position = Position(system, timeline, lsn)
    return Finding(**{name: data[name] for name in _FIELDS}, position=position)
