"""Which compared reads a page shows, as its address says it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from rollout.looks import NEED_LOOK, unseen
from rollout.models import RoutingRule, ShadowRead, ShadowState, TargetKind
from rollout.outcomes import Outcome, ShadowCause

SPANS = {
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last 24 hours", timedelta(days=1)),
    "7d": ("the last 7 days", timedelta(days=7)),
    "all": ("all time", None),
}
"""The lengths of time on offer, by what the address calls them: in words, and until now."""

DEFAULT_SPAN = "7d"
"""As long as the verdicts reach back."""

NOT_YET = "no"
"""What the address says of reads that need a look and have had none."""


@dataclass(frozen=True, slots=True)
class Filters:
    """rule: the id of a rule as text. outcome, cause: codes. looked: `NOT_YET`. Each is empty where all will do.

    span: a key of `SPANS`.
    """

    rule: str = ""
    outcome: str = ""
    cause: str = ""
    looked: str = ""
    span: str = DEFAULT_SPAN

    @property
    def address(self) -> str:
        """The part of an address from the question mark on, without what goes without saying."""
        said = {name: value for name, value in self.fields.items() if value not in {"", DEFAULT_SPAN}}
        return f"?{urlencode(said)}" if said else "?"

    @property
    def fields(self) -> dict[str, str]:
        """What the address says, by name."""
        return asdict(self)

    @property
    def is_unseen(self) -> bool:
        return self.looked == NOT_YET

    @property
    def span_words(self) -> str:
        return SPANS[self.span][0]

    def but(self, **changes: str) -> Self:
        """Return these filters with some of them changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. rule: the one that the filters name. problems: what of it nobody understands."""

    filters: Filters
    rule: RoutingRule | None
    problems: tuple[str, ...]


def parse(query: Mapping[str, Any], rules: Iterable[RoutingRule]) -> Asked:
    """Read an address. What it says wrongly is left out, and told."""
    known = {str(rule.pk): rule for rule in rules}
    allowed = {
        "rule": known,
        "outcome": Outcome.values,
        "cause": ShadowCause.values,
        "looked": [NOT_YET],
        "span": SPANS,
    }
    said = {name: str(query.get(name, "")) for name in allowed}
    problems = tuple(
        f"There is no {name} “{value}” to choose, so that choice was left out."
        for name, value in said.items()
        if value and value not in allowed[name]
    )
    filters = Filters(**{name: value for name, value in said.items() if value in allowed[name]})
    return Asked(filters, known.get(filters.rule), problems)


def reads_in_time(asked: Asked, now: datetime, using: str) -> QuerySet[ShadowRead]:
    """Return the compared reads of the rule and the time that were asked for, whatever their outcome."""
    reads = ShadowRead.objects.using(using).filter(state=ShadowState.DONE)
    if asked.rule is not None:
        field = "endpoint" if asked.rule.target_kind == TargetKind.ENDPOINT else "model"
        reads = reads.filter(Q((field, asked.rule.target)))
    length = SPANS[asked.filters.span][1]
    return reads if length is None else reads.filter(compared_at__gte=now - length)


def reads_asked_for(asked: Asked, now: datetime, using: str) -> QuerySet[ShadowRead]:
    """Return the compared reads that were asked for, in no order."""
    filters, reads = asked.filters, reads_in_time(asked, now, using)
    if filters.outcome:
        reads = reads.filter(outcome=filters.outcome)
    if filters.cause:
        # No other outcome has a cause, which an index of these does not know.
        reads = reads.filter(cause=filters.cause, outcome__in=NEED_LOOK)
    return unseen(reads) if filters.is_unseen else reads
