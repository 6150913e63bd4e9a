"""Where the reads of each endpoint and of each model ran. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

from admin_ui.drawing.figures import share_of
from admin_ui.overview.counts import Group

LONGEST_LIST = 12
"""Endpoints, and models, that the page lists, the busiest first."""


@dataclass(frozen=True, slots=True)
class NamedReads:
    """The reads of one endpoint or one model. `observed` are reads on the primary that a replica would have served."""

    name: str
    total: int
    on_primary: int
    on_each_replica: tuple[int, ...]
    observed: int

    @property
    def share_on_replicas(self) -> Decimal:
        return share_of(self.total - self.on_primary, self.total)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The busiest endpoints, or models. word: what they are. has_more: whether there are others."""

    word: str
    rows: tuple[NamedReads, ...]
    has_more: bool

    @property
    def nameless(self) -> str:
        """What stands for reads of none."""
        return f"(outside any {self.word})" if self.word == "endpoint" else "(of no model)"


@dataclass(slots=True)
class _Sums:
    """Those of one endpoint or model."""

    by_alias: Counter[str] = field(default_factory=Counter)
    observed: int = 0


def breakdown(
    word: str, counts: Mapping[Group, int], primaries: AbstractSet[str], replicas: Sequence[str]
) -> Breakdown:
    """Return the busiest. word: what they are. replicas: in the order in which the page shows them."""
    found: defaultdict[str, _Sums] = defaultdict(_Sums)
    for (name, alias, is_observed), count in counts.items():
        sums = found[name]
        sums.by_alias[alias] += count
        if is_observed:
            sums.observed += count
    totals = ((sums.by_alias.total(), name, sums) for name, sums in found.items())
    busiest = sorted(totals, key=lambda one: (-one[0], one[1]))
    rows = (
        NamedReads(
            name=name,
            total=total,
            on_primary=sum(count for alias, count in sums.by_alias.items() if alias in primaries),
            on_each_replica=tuple(sums.by_alias[alias] for alias in replicas),
            observed=sums.observed,
        )
        for total, name, sums in busiest[:LONGEST_LIST]
    )
    return Breakdown(word, tuple(rows), has_more=len(busiest) > LONGEST_LIST)
