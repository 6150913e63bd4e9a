"""`manage.py readshift baseline`: keep how endpoints did, and compare how they do later."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from admin_ui.baselines.changes import Change, Comparison, Verdict
from admin_ui.baselines.comparing import MARGIN
from admin_ui.baselines.keeping import compare_with, save
from admin_ui.baselines.report import as_markdown, latency, moment, notes, on_replicas, rate, shares, summary
from admin_ui.commands.frame import Terminal, refusal, share
from admin_ui.commands.spans import add_span, span_of
from rollout.endpoint_sums import EndpointSums, Span
from rollout.models import Baseline
from routers.control import control_alias
from tasks.reporting.words import grouped

DONE = 0
WORSE = 1
REFUSED = 2
UNKNOWN = 3

_MINUTES = 60.0
_CODES = {Verdict.WORSE: WORSE, Verdict.STEADY: DONE, Verdict.THIN: REFUSED}


class BaselineCommand:
    """Keeps baselines, and compares with them."""

    name = "baseline"
    help = (
        "Keep latency and throughput of all endpoints over a window of time, and compare a later window with it. "
        "Changes no routing. Each action takes --json. Exits with 0 if it is done, and after a comparison if no "
        "endpoint is worse beyond the margin; 1 if one is; 2 if it was refused, or nothing can be said for lack of "
        "units; 3 if there is no such baseline."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="action", required=True)
        saving = actions.add_parser("save", help="keep a window under a name")
        saving.add_argument("name")
        add_span(saving)
        comparing = actions.add_parser("compare", help="compare a later window, as long as the baseline's by default")
        comparing.add_argument("name")
        add_span(comparing)
        comparing.add_argument(
            "--margin", type=share, default=MARGIN, help="by how much more is worse, as a share (default: %(default)s)"
        )
        form = comparing.add_mutually_exclusive_group()
        form.add_argument("--markdown", action="store_true", help="write a report for a ticket")
        form.add_argument("--json", action="store_true", help="write one JSON object")
        deleting = actions.add_parser("delete", help="forget one")
        deleting.add_argument("name")
        for action in (saving, deleting, actions.add_parser("list", help="tell which there are")):
            action.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        action = {"save": _save, "list": _list, "compare": _compare, "delete": _delete}[options["action"]]
        try:
            return action(terminal, options)
        except ValidationError as error:
            raise refusal(" ".join(error.messages), REFUSED) from None


def _save(terminal: Terminal, options: dict[str, Any]) -> int:
    baseline = save(options["name"], span_of(options, _MINUTES, REFUSED), control_alias())
    _tell(terminal, options, _as_json(baseline), f"Kept “{baseline.name}”: {_words(baseline)}.")
    return DONE


def _list(terminal: Terminal, options: dict[str, Any]) -> int:
    kept = list(Baseline.objects.using(control_alias()))
    if options["json"]:
        terminal.say_json({"baselines": [_as_json(baseline) for baseline in kept]})
        return DONE
    terminal.say_table((baseline.name, _words(baseline)) for baseline in kept)
    if not kept:
        terminal.say("No baseline was kept yet. Keep one with: manage.py readshift baseline save NAME")
    return DONE


def _delete(terminal: Terminal, options: dict[str, Any]) -> int:
    baseline = _named(options["name"])
    baseline.delete()
    _tell(terminal, options, {"deleted": baseline.name}, f"Deleted “{baseline.name}”.")
    return DONE


def _compare(terminal: Terminal, options: dict[str, Any]) -> int:
    baseline = _named(options["name"])
    minutes = Span(baseline.starts_at, baseline.ends_at).minutes
    comparison = compare_with(baseline, span_of(options, minutes, REFUSED), options["margin"], control_alias())
    if options["json"]:
        terminal.say_json(comparison.as_json())
    elif options["markdown"]:
        terminal.say(as_markdown(comparison))
    else:
        _say(terminal, comparison)
    return _CODES[comparison.verdict]


def _say(terminal: Terminal, comparison: Comparison) -> None:
    terminal.say(summary(comparison))
    first, second = (f"{moment(span.since)} to {moment(span.until)}" for span in (comparison.before, comparison.after))
    terminal.say(f"{first}, then {second}")
    for note in notes(comparison):
        terminal.say(note)
    for change in comparison.changes:
        terminal.say(f"\n{change.endpoint}: {change.verdict.words}")
        terminal.say_table(_rows(change, comparison))


def _rows(change: Change, comparison: Comparison) -> Iterator[tuple[str, str]]:
    units = f"{grouped(change.before.units)} → {grouped(change.after.units)}"
    yield "  units", units
    yield "  a minute", f"{rate(change.before, comparison.before)} → {rate(change.after, comparison.after)}"
    for measure in change.latencies:
        yield f"  {measure.name}", latency(measure)
    yield "  failed", shares(change.failures.before, change.failures.after)
    yield "  on replicas", on_replicas(change)
    for reason in change.reasons:
        yield "  worse", reason
    for doubt in change.doubts:
        yield "  unknown", doubt


def _named(name: str) -> Baseline:
    found = Baseline.objects.using(control_alias()).filter(name=name).first()
    if found is None:
        known = ", ".join(Baseline.objects.using(control_alias()).values_list("name", flat=True)) or "none"
        raise refusal(f"There is no baseline “{name}”. The baselines are: {known}.", UNKNOWN)
    return found


def _tell(terminal: Terminal, options: dict[str, Any], content: dict[str, Any], words: str) -> None:
    if options["json"]:
        terminal.say_json(content)
    else:
        terminal.say(words)


def _as_json(baseline: Baseline) -> dict[str, Any]:
    return {
        "name": baseline.name,
        "made_at": baseline.made_at.isoformat(),
        "made_by": baseline.made_by,
        "from": baseline.starts_at.isoformat(),
        "to": baseline.ends_at.isoformat(),
        "endpoints": len(baseline.endpoints),
        "units": sum(EndpointSums.from_json(stored).units for stored in baseline.endpoints.values()),
    }


def _words(baseline: Baseline) -> str:
    facts = _as_json(baseline)
    by = f", made by {baseline.made_by}" if baseline.made_by else ""
    return (
        f"{grouped(facts['units'])} units of {grouped(facts['endpoints'])} endpoints, {moment(baseline.starts_at)} to "
        f"{moment(baseline.ends_at)}{by}"
    )
