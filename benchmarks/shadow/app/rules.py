"""Which endpoints have reads captured, and how."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.shadow.app.planted import PLANTED
from benchmarks.shadow.app.shapes import SHAPES

MODES = ("observe", "route")
NO_CAP = 1_000_000
LOGICAL = "logical"


@dataclass(frozen=True, slots=True)
class Capturing:
    """What a rule asks for. per_second: its cap, or None for the default one. percent: of its reads, captured."""

    target: str
    mode: str = "route"
    percent: int = 100
    per_second: int | None = NO_CAP
    pool: str = "default"


def rules(pools: set[str]) -> Iterator[Capturing]:
    """Return the rules of a project with these pools."""
    yield from (Capturing(f"{mode}-{shape}", mode) for mode in MODES for shape in SHAPES)
    yield Capturing("page-plain", percent=0)
    yield Capturing("page-control", percent=0)
    yield Capturing("page-capped", per_second=None)
    yield Capturing("page-uncapped")
    yield Capturing("counter")
    yield Capturing("bulk")
    if LOGICAL in pools:
        yield from (Capturing(f"planted-{fault}", "observe", pool=LOGICAL) for fault in PLANTED)
