"""Adds up the compared reads of each rule, and of each statement of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Collate

from rollout.models import RoutingRule, ShadowRead, ShadowState, TargetKind
from rollout.outcomes import Outcome
from tasks.reporting.findings import CauseCount, Counts, Findings, StaleShare
from tasks.reporting.measures import Key, Measures


@dataclass(frozen=True, slots=True)
class Bunch:
    """Reads that have everything in common that is counted by.

    fingerprint, outline: of their statement, None and empty where statements are not told apart.
    """

    endpoint: str
    model: str
    fingerprint: str | None
    outcome: str
    cause: str
    count: int
    first: datetime
    last: datetime
    outline: str = ""


def read_bunches(since: datetime, using: str, *, by_statement: bool, narrowed: Q | None = None) -> list[Bunch]:
    """Count what was compared since then, in one query that reads each row once, however many rules it counts for.

    narrowed: what is wanted of it, such as an outcome.
    """
    fields = ("endpoint", "model", *(("fingerprint",) if by_statement else ()), "outcome", "cause")
    # The text is the same in all rows of a statement, so any comparison of texts finds it, and this one costs least.
    text = {"outline": Min(Collate("statement", "C"))} if by_statement else {}
    rows = (
        ShadowRead.objects.using(using)
        .filter(narrowed or Q(), state=ShadowState.DONE, compared_at__gte=since)
        .values(*fields)
        .annotate(count=Count("*"), first=Min("compared_at"), last=Max("compared_at"), **text)
    )
    return [Bunch(**({"fingerprint": None} | row)) for row in rows]


def of_rules(rules: Collection[RoutingRule]) -> Q:
    """Return the condition that a read counts for any of these rules."""
    names = {kind: [rule.target for rule in rules if rule.target_kind == kind] for kind in TargetKind.values}
    return Q(endpoint__in=names[TargetKind.ENDPOINT]) | Q(model__in=names[TargetKind.MODEL])


def add_up(
    rules: Iterable[RoutingRule], bunches: Iterable[Bunch], measures: Mapping[Key, Measures]
) -> dict[Key, Findings]:
    """Return what was found about each rule, and about each statement of it if the bunches tell statements apart. Pure.

    A read counts for the rule of its endpoint and for the rule of its model.
    """
    ids = {(rule.target_kind, rule.target): rule.pk for rule in rules}
    found: defaultdict[Key, list[Bunch]] = defaultdict(list)
    for bunch in bunches:
        for target in ((TargetKind.ENDPOINT.value, bunch.endpoint), (TargetKind.MODEL.value, bunch.model)):
            if (rule := ids.get(target)) is not None:
                for key in {(rule, None), (rule, bunch.fingerprint)}:
                    found[key].append(bunch)
    return {key: _findings(of_key, measures.get(key, Measures())) for key, of_key in found.items()}


def _findings(bunches: Sequence[Bunch], measures: Measures) -> Findings:
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for bunch in bunches:
        sums[bunch.outcome, bunch.cause] += bunch.count
    counted = [CauseCount(outcome, cause, count) for (outcome, cause), count in sums.items()]
    counted.sort(key=lambda one: (-one.count, one.outcome, one.cause))
    counts = Counts.of(counted)
    return Findings(
        counts=counts,
        causes=tuple(one for one in counted if one.outcome != Outcome.EQUAL),
        stale=StaleShare.of(counts),
        staleness=measures.staleness,
        latency=measures.latency,
        first_seen=min(bunch.first for bunch in bunches),
        last_seen=max(bunch.last for bunch in bunches),
        examples=measures.examples,
    )
