"""A comparison with a baseline as Markdown, for a ticket. Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from admin_ui.baselines.changes import Change, Comparison, Measure, Verdict
from admin_ui.drawing.figures import took
from rollout.endpoint_sums import EndpointSums, Span
from tasks.reporting.words import NARROW_SPACE, figure, grouped, percent

_MUCH = 2.0
_NONE = "none"
_HEAD = ("Endpoint", "Verdict", "Units a minute", "p50", "p95", "p99", "Failed", "On replicas")


def as_markdown(comparison: Comparison) -> str:
    """Return the whole report."""
    return "\n".join(_lines(comparison)) + "\n"


def summary(comparison: Comparison) -> str:
    """Return what came of it in one sentence."""
    worse, steady = comparison.of(Verdict.WORSE), comparison.of(Verdict.STEADY, Verdict.BETTER)
    number, margin = len(worse) + len(steady), percent(comparison.margin)
    if not number:
        return "Nothing can be said: no endpoint has enough units in both windows."
    if not worse and number == 1:
        return f"The one endpoint that can be compared is not worse by more than {margin}."
    if not worse:
        return f"None of {_endpoints(number)} is worse by more than {margin}."
    return f"{len(worse)} of {_endpoints(number)} {'is' if len(worse) == 1 else 'are'} worse by more than {margin}."


def notes(comparison: Comparison, quoted: Callable[[str], str] = "“{}”".format) -> Iterator[str]:
    """Yield what limits the comparison, in sentences. quoted: how the name of an endpoint is written."""
    if gone := comparison.of(Verdict.GONE):
        yield f"Not used in the later window: {_names(gone, quoted)}."
    if new := comparison.of(Verdict.NEW):
        yield f"Not in the baseline: {_names(new, quoted)}."
    before, after = comparison.totals
    rates = before.units / comparison.before.minutes, after.units / comparison.after.minutes
    if rates[0] and not 1 / _MUCH <= rates[1] / rates[0] <= _MUCH:
        yield (
            f"The later window had {figure(rates[1] / rates[0])} times as many units a minute, so that latencies under "
            f"different load are compared."
        )


def rate(sums: EndpointSums, span: Span) -> str:
    """Write how many units a minute there were."""
    return figure(sums.units / span.minutes)


def moment(at: datetime) -> str:
    """Write a time as all readers of a ticket understand it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def latency(measure: Measure) -> str:
    """Write a percentile in both windows, and how many times as long it is."""
    before, after = (_time(value) for value in (measure.before, measure.after))
    times = "" if measure.ratio is None else f" ({measure.ratio:.2f} times)"
    is_unsure = measure.verdict is Verdict.THIN and measure.ratio is not None
    unsure = ", too few" if is_unsure else ""
    return f"{before} → {after}{times}{unsure}"


def shares(before: float | None, after: float | None) -> str:
    """Write a share in both windows."""
    return " → ".join(_NONE if share is None else percent(share) for share in (before, after))


def on_replicas(change: Change) -> str:
    """Write the share of an endpoint's reads that replicas answered, in both windows."""
    return shares(*(_share(sums) for sums in (change.before, change.after)))


def _lines(comparison: Comparison) -> Iterator[str]:
    before, after = comparison.totals
    yield f"# Baseline {_code(comparison.name)} compared"
    yield ""
    yield f"**{summary(comparison)}**"
    yield ""
    yield from _table(
        ("", "Baseline", "Later"),
        [
            ("From", moment(comparison.before.since), moment(comparison.after.since)),
            ("To", moment(comparison.before.until), moment(comparison.after.until)),
            ("Units", grouped(before.units), grouped(after.units)),
            ("Units a minute", rate(before, comparison.before), rate(after, comparison.after)),
            ("Failed", *(percent(sums.failed / sums.units) if sums.units else _NONE for sums in (before, after))),
            ("Reads", grouped(before.reads), grouped(after.reads)),
            ("Reads on replicas", *(_optional(_share(sums)) for sums in (before, after))),
        ],
    )
    yield from _worse(comparison.of(Verdict.WORSE))
    yield ""
    yield "## Endpoints"
    yield ""
    yield from _table(_HEAD, (_row(change, comparison) for change in comparison.changes))
    limits = [*notes(comparison, _code), *_unsure(comparison.changes)]
    if limits:
        yield ""
        yield "## What this cannot tell"
        yield ""
        yield from (f"- {note}" for note in limits)
    yield ""
    yield (
        f"A percentile or the share of failures is worse when it grew by more than {percent(comparison.margin)}, and "
        f"by more than chance explains (95{NARROW_SPACE}% intervals that do not meet). Durations are counted in steps "
        f"of 15{NARROW_SPACE}%."
    )


def _worse(changes: Iterable[Change]) -> Iterator[str]:
    lines = [f"- {_code(change.endpoint)}: {reason}" for change in changes for reason in change.reasons]
    if lines:
        yield from ("", "## What is worse", "", *lines)


def _unsure(changes: Iterable[Change]) -> Iterator[str]:
    concerned: dict[str, list[Change]] = {}
    for change in changes:
        for doubt in change.doubts:
            concerned.setdefault(doubt, []).append(change)
    for doubt, those in concerned.items():
        yield f"{doubt} That concerns {_names(those, _code)}."


def _row(change: Change, comparison: Comparison) -> tuple[str, ...]:
    verdict = f"**{change.verdict.words}**" if change.verdict is Verdict.WORSE else change.verdict.words
    return (
        _code(change.endpoint),
        verdict,
        f"{rate(change.before, comparison.before)} → {rate(change.after, comparison.after)}",
        *map(latency, change.latencies),
        shares(change.failures.before, change.failures.after),
        on_replicas(change),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        # A table's cell ends at a bar, even within code.
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _code(name: str) -> str:
    """Return a name as code, whatever it holds: routes are regular expressions at times."""
    fence = "``" if "`" in name else "`"
    padding = " " if "`" in name else ""
    return f"{fence}{padding}{name}{padding}{fence}"


def _names(changes: Iterable[Change], quoted: Callable[[str], str]) -> str:
    return ", ".join(quoted(change.endpoint) for change in changes)


def _endpoints(number: int) -> str:
    return "1 endpoint" if number == 1 else f"{number:,} endpoints"


def _time(seconds: float | None) -> str:
    return _NONE if seconds is None else took(seconds)


def _share(sums: EndpointSums) -> float | None:
    return sums.on_replicas / sums.reads if sums.reads else None


def _optional(share: float | None) -> str:
    return _NONE if share is None else percent(share)
