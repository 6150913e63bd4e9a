"""What there is to choose from among compared reads, each choice with the count that it would lead to."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from django.utils.text import capfirst

from admin_ui.shadow_pages.filters import NOT_YET, SPANS, Asked, Filters, reads_in_time
from admin_ui.shadow_pages.words import cause_label, needs_look, outcome_words
from rollout.models import RoutingRule


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose. count: how many reads there are then; None where nobody counted."""

    label: str
    value: str
    address: str
    is_chosen: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Bunch:
    """Reads that have everything in common that is chosen by, besides rule and time."""

    outcome: str
    cause: str
    was_looked_at: bool
    count: int

    @property
    def needs_look(self) -> bool:
        return not self.was_looked_at and needs_look(self.outcome)

    def is_wanted(self, filters: Filters) -> bool:
        """Say whether filters let these reads through."""
        return (
            filters.outcome in {"", self.outcome}
            and filters.cause in {"", self.cause}
            and (self.needs_look or not filters.is_unseen)
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """All that there is to choose. count: reads that are chosen now. unseen: those of them that need a look."""

    rules: tuple[Choice, ...]
    outcomes: tuple[Choice, ...]
    causes: tuple[Choice, ...]
    looks: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    count: int
    unseen: int


def read_choices(asked: Asked, rules: Iterable[RoutingRule], now: datetime, using: str) -> Choices:
    """Count what there is in the time and of the rule that were asked for, in one query."""
    filters, bunches = asked.filters, _read_bunches(asked, now, using)
    chosen = [bunch for bunch in bunches if bunch.is_wanted(filters)]
    return Choices(
        rules=_rules(filters, rules),
        outcomes=_counted(filters, bunches, "outcome", lambda bunch: bunch.outcome, _outcome_label),
        causes=_counted(filters, bunches, "cause", lambda bunch: bunch.cause, cause_label),
        looks=_looks(filters, bunches),
        spans=_spans(filters),
        count=sum(bunch.count for bunch in chosen),
        unseen=sum(bunch.count for bunch in chosen if bunch.needs_look),
    )


def _read_bunches(asked: Asked, now: datetime, using: str) -> list[Bunch]:
    was_looked_at = ExpressionWrapper(Q(looked_at__isnull=False), output_field=BooleanField())
    rows = (
        reads_in_time(asked, now, using)
        .annotate(was_looked_at=was_looked_at)
        .values_list("outcome", "cause", "was_looked_at")
        .annotate(count=Count("*"))
    )
    return [Bunch(*row) for row in rows]


def _counted(
    filters: Filters,
    bunches: Iterable[Bunch],
    name: str,
    key: Callable[[Bunch], str],
    label: Callable[[str], str],
) -> tuple[Choice, ...]:
    """Offer what there is, the most frequent first."""
    others, chosen = filters.but(**{name: ""}), filters.fields[name]
    counts: Counter[str] = Counter()
    for bunch in bunches:
        if bunch.is_wanted(others):
            counts[key(bunch)] += bunch.count
    values = sorted({value for value in (*counts, chosen) if value}, key=lambda value: (-counts[value], value))
    return (
        Choice("All", "", others.address, not chosen, counts.total()),
        *(
            Choice(label(value), value, filters.but(**{name: value}).address, value == chosen, counts[value])
            for value in values
        ),
    )


def _rules(filters: Filters, rules: Iterable[RoutingRule]) -> tuple[Choice, ...]:
    values = [("All", ""), *((str(rule), str(rule.pk)) for rule in rules)]
    return tuple(
        Choice(label, value, filters.but(rule=value).address, value == filters.rule) for label, value in values
    )


def _looks(filters: Filters, bunches: Sequence[Bunch]) -> tuple[Choice, ...]:
    labels = (("All", ""), ("Not looked at yet", NOT_YET))
    each = ((label, value, filters.but(looked=value)) for label, value in labels)
    return tuple(
        Choice(label, value, there.address, value == filters.looked, _sum(bunches, there))
        for label, value, there in each
    )


def _spans(filters: Filters) -> tuple[Choice, ...]:
    return tuple(
        Choice(capfirst(words), name, filters.but(span=name).address, name == filters.span)
        for name, (words, _) in SPANS.items()
    )


def _sum(bunches: Iterable[Bunch], filters: Filters) -> int:
    return sum(bunch.count for bunch in bunches if bunch.is_wanted(filters))


def _outcome_label(outcome: str) -> str:
    return capfirst(outcome_words(outcome))
