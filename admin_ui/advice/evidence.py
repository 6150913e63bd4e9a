"""What was counted of each endpoint that says whether its reads could move. Seven queries, however many rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Avg, Count, F, Q, QuerySet, Sum

from rollout.endpoint_sums import EndpointSums, Span, sum_up
from rollout.models import ShadowRead, ShadowState, Tally, TallyKind
from rollout.outcomes import Outcome
from rollout.policy import Rule
from rollout.reasons import Reason
from routers.endpoints import OVERFLOW, UNRESOLVED

UNDECIDED = frozenset(
    {
        Reason.DISABLED,
        Reason.POLICY_MISSING,
        Reason.POLICY_STALE,
        Reason.KILL_SWITCH,
        Reason.ROUTER_ERROR,
    }
)
"""Reasons under which nobody asked what the rules would have said."""

COULD_MOVE = frozenset(reason for reason in Reason if reason.is_up_to_rules and reason is not Reason.PINNED)
"""Reasons of reads that another rule would move."""


@dataclass(frozen=True, slots=True)
class Shadows:
    """What shadow reads of an endpoint found. primary_ms: how long they took on the primary on average, if known."""

    compared: int = 0
    divergent: int = 0
    primary_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one endpoint.

    sums: of its units and reads. on_primary: its reads on primaries, by reason. denied: those of models on the deny
    list, by model. replayed: reads that a replica failed to answer. rule: the one for this endpoint, if there is one.
    """

    endpoint: str
    sums: EndpointSums
    on_primary: Mapping[str, int] = field(default_factory=dict)
    denied: Mapping[str, int] = field(default_factory=dict)
    replayed: int = 0
    shadows: Shadows = Shadows()
    rule: Rule | None = None

    @property
    def movable(self) -> int:
        """How many of its reads on the primary another rule would move."""
        return sum(self.on_primary.get(reason, 0) for reason in COULD_MOVE)

    @property
    def undecided(self) -> int:
        """How many of its reads on the primary nobody can say that of."""
        return sum(self.on_primary.get(reason, 0) for reason in UNDECIDED)

    @property
    def can_have_rule(self) -> bool:
        """Whether a rule can name it: what runs in no unit, or before a view is found, has no name."""
        return self.endpoint not in {"", OVERFLOW, UNRESOLVED}


def read_evidence(span: Span, rules: Mapping[str, Rule], using: str) -> tuple[Evidence, ...]:
    """Read all endpoints of a span that read anything. rules: those for endpoints, by name."""
    tallies = Tally.objects.using(using).filter(starts_at__gte=span.since, starts_at__lt=span.until)
    on_primary, denied, replayed = _reads(tallies), _denied(tallies), _replays(tallies)
    shadows = _shadows(span, using)
    return tuple(
        Evidence(
            endpoint,
            sums,
            on_primary.get(endpoint, {}),
            denied.get(endpoint, {}),
            replayed.get(endpoint, 0),
            shadows.get(endpoint, Shadows()),
            rules.get(endpoint),
        )
        for endpoint, sums in sum_up(span, using).items()
        if sums.reads
    )


def _reads(tallies: QuerySet[Tally]) -> Mapping[str, Mapping[str, int]]:
    reads = tallies.filter(kind=TallyKind.READ, alias=F("cluster"))
    return _nested(reads.values_list("endpoint", "reason").annotate(Sum("count")))


def _denied(tallies: QuerySet[Tally]) -> Mapping[str, Mapping[str, int]]:
    reads = tallies.filter(kind=TallyKind.READ, reason=Reason.DENIED)
    return _nested(reads.values_list("endpoint", "model").annotate(Sum("count")))


def _replays(tallies: QuerySet[Tally]) -> Mapping[str, int]:
    return dict(tallies.filter(kind=TallyKind.REPLAY).values_list("endpoint").annotate(Sum("count")))


def _shadows(span: Span, using: str) -> Mapping[str, Shadows]:
    telling = Q(outcome__in=[Outcome.EQUAL, Outcome.CAUGHT_UP, Outcome.DIVERGENT])
    rows = (
        ShadowRead.objects.using(using)
        .filter(telling, state=ShadowState.DONE, compared_at__gte=span.since, compared_at__lt=span.until)
        .values_list("endpoint")
        .annotate(
            compared=Count("pk"),
            divergent=Count("pk", filter=Q(outcome=Outcome.DIVERGENT)),
            took=Avg("primary_ms"),
        )
    )
    return {endpoint: Shadows(*facts) for endpoint, *facts in rows}


def _nested(rows: Iterable[tuple[str, str, int]]) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = {}
    for endpoint, name, count in rows:
        found.setdefault(endpoint, Counter())[name] += count
    return found
