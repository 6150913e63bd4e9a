"""What the dashboard says of shadow reads: a verdict on each rule, and what was found divergent lately."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from admin_ui.drawing.figures import percent
from rollout.models import RoutingRule, TargetKind
from rollout.outcomes import CaptureFate, Outcome
from rollout.policy import Policy
from tasks.reporting.fates import Fates, read_fates
from tasks.reporting.findings import cause_words
from tasks.reporting.queries import read_briefly
from tasks.reporting.sums import read_bunches
from tasks.reporting.words import grouped

VERDICT_WINDOW = timedelta(days=7)
"""A week has every weekday in it, and as long the statements of what was not equal are kept by default."""

ALARM_WINDOW = timedelta(days=1)
ALARMING = Q(outcome=Outcome.DIVERGENT, looked_at__isnull=True)
MANY = 3

FATES = {
    CaptureFate.OVER_RATE: "left out over the cap per second",
    CaptureFate.QUEUE_FULL: "dropped because too many were waiting",
    CaptureFate.TOO_LARGE: "left out as too long",
    CaptureFate.NOT_PLAIN: "left out as no plain SELECT",
    CaptureFate.CURSOR: "left out with server-side cursors",
    CaptureFate.SESSION_STATE: "left out because of SESSION_STATE",
    CaptureFate.NOT_WRITTEN: "dropped because the primary did not take them",
    CaptureFate.NOT_SENT: "late because the broker took no message",
}
"""What is said of a number of reads that were chosen and did not reach a worker at once."""


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """judgement: names the CSS class. words: the verdict. reason: why. captures: what the rule captures now.

    losses: how many reads were chosen and not compared, and why, or empty.
    """

    judgement: str
    words: str
    reason: str
    captures: str
    losses: str


def shadow_lines(rules: Iterable[RoutingRule], now: datetime, using: str) -> Mapping[int, ShadowLine]:
    """Return a line for each rule, by its id, that captures reads or of which some were compared, in three queries."""
    rules = list(rules)
    fates = read_fates(rules, now - VERDICT_WINDOW, using)
    reports = read_briefly(rules, now - VERDICT_WINDOW, using)
    return {
        rule.pk: ShadowLine(
            judgement=report.verdict.judgement,
            words=report.verdict.words,
            reason=report.verdict.reason,
            captures=f"captures {percent(rule.shadow_percent)}" if rule.shadow_percent else "captures nothing now",
            losses=_losses(fates[rule.pk]),
        )
        for rule, report in zip(rules, reports, strict=True)
        if rule.shadow_percent or report.findings.counts.total
    }


@dataclass(frozen=True, slots=True)
class Divergence:
    """A rule of which reads were divergent within the last day, and the most frequent cause."""

    target_kind: str
    target: str
    cause: str


def read_divergences(policy: Policy, now: datetime, using: str) -> tuple[Divergence, ...]:
    """Return the rules that had divergent reads within the last day that nobody has looked at, in one query.

    They are in the policy's order."""
    causes: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for bunch in read_bunches(now - ALARM_WINDOW, using, by_statement=False, narrowed=ALARMING):
        for target in ((TargetKind.ENDPOINT.value, bunch.endpoint), (TargetKind.MODEL.value, bunch.model)):
            causes[target][bunch.cause] += bunch.count
    targets = ((rule.target_kind, rule.target) for rule in policy.rules)
    return tuple(Divergence(*target, _most_frequent(causes[target])) for target in targets if target in causes)


def _most_frequent(causes: Counter[str]) -> str:
    return min(causes, key=lambda cause: (-causes[cause], cause))


def _losses(fates: Fates) -> str:
    lost = [(fate, number) for fate, number in fates.most_common() if fate is not CaptureFate.CAPTURED]
    return ", ".join(f"{grouped(number)} {FATES[fate]}" for fate, number in lost)


def alarm(divergences: Sequence[Divergence]) -> str:
    """Say which rules had divergent reads, of which there is one at least."""
    # No counts: a screen reader would read all of it again at every further one.
    named = ", ".join(f"{one.target} ({cause_words(one.cause)})" for one in divergences[:MANY])
    more = f" and {len(divergences) - MANY} more" if len(divergences) > MANY else ""
    subject, object_ = ("1 rule has", "it") if len(divergences) == 1 else (f"{len(divergences)} rules have", "them")
    return (
        f"{subject} divergent shadow reads of the last day: {named}{more}. The replica differs there where the primary "
        f"does not change. Do not route {object_} before the cause is known."
    )
