"""`docs/benchmarks.md`: the table of all benchmarks, made of what a run of them left behind. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.bounds import Bound, told
from benchmarks.entries import Entry, Form, command, shows
from benchmarks.record import Record, Run

FILE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
DATA = FILE.with_suffix(".json")

_OPENING = """\
# Benchmarks

`make bench` runs every benchmark of this project, one after the other, and writes this page and
[benchmarks.json](benchmarks.json), which holds the figures of each as it printed them; `make bench LONG=1` does so in
the full form, which takes about two hours. Each can be run alone by its command below, and
`python -m benchmarks --only NAME` shows the table of some of them and writes nothing. Peers, where there are any, ran
in the same run as Readshift, each as its own documentation installs it, with its default values.

A bound is what Readshift is held to: when one is missed, the benchmark and `make bench` exit with 1. Where a run is too
short to say whether a bound is kept, the table says so.
"""

_CROWDED = 0.9
"""With less idle time before a benchmark, others used the machine."""

_CROWDED_WORDS = (
    "Others used the machine meanwhile, so that times are longer than where nobody does. Read them beside how much of "
    "the machine was idle, which is told below."
)


def page(record: Record, entries: Mapping[str, Entry]) -> str:
    """Return the page of this record."""
    return "\n".join([_OPENING, _summary(record, entries), *_results(record, entries), *_details(record, entries)])


def table(runs: Sequence[Run], entries: Mapping[str, Entry]) -> list[str]:
    """Return the lines of the table: a row for each bound, and for each benchmark that measured nothing."""
    header = "| Benchmark | Figure | Measured | Bound | Held | Peers in the same run |"
    return [header, "|---|---|---|---|---|---|", *(row for run in runs for row in _rows(run, entries[run.name]))]


def _summary(record: Record, entries: Mapping[str, Entry]) -> str:
    bounds = [bound for run in record.runs for bound in run.bounds(entries[run.name])]
    counts = {
        "held": sum(bound.is_kept and not bound.unjudged for bound in bounds),
        "missed": sum(bound.is_missed for bound in bounds),
        "not judged": sum(bool(bound.unjudged) for bound in bounds),
    }
    silent = sum(run.figures is None for run in record.runs)
    nothing = f" {silent} of {len(record.runs)} benchmarks measured nothing." if silent else ""
    told_counts = ", ".join(f"{count} {what}" for what, count in counts.items())
    crowded = f" {_CROWDED_WORDS}" if _was_crowded(record.runs) else ""
    return (
        f"This is the {record.form} form, run on {record.date} in {record.seconds / 60:.1f} minutes. "
        f"Of {len(bounds)} bounds: {told_counts}.{nothing}{crowded}\n"
    )


def _results(record: Record, entries: Mapping[str, Entry]) -> Iterator[str]:
    yield "## Results\n"
    yield from table(record.runs, entries)
    yield ""


def _rows(run: Run, entry: Entry) -> Iterator[str]:
    name = f"[{run.name}](#{run.name})"
    if run.figures is None:
        yield _row(name, f"measured nothing: {run.last_words}", "", "", "no", "")
        return
    for number, bound in enumerate(run.bounds(entry)):
        yield _row(
            "" if number else name,
            f"`{bound.figure}`",
            told(bound.value),
            bound.range,
            _held(bound),
            ", ".join(f"{peer} {told(value)}" for peer, value in bound.peers.items()),
        )


def _held(bound: Bound) -> str:
    if bound.unjudged:
        return f"not judged: {bound.unjudged}"
    return "yes" if bound.is_kept else "**no**"


def _details(record: Record, entries: Mapping[str, Entry]) -> Iterator[str]:
    yield "## What each shows\n"
    for run in record.runs:
        yield from _section(run, _form(entries[run.name], record.form))
    yield "## Machine and versions\n"
    yield from _facts(record)


def _section(run: Run, form: Form) -> Iterator[str]:
    yield f"### {run.name}\n\n{shows(run.name)}\n"
    yield f"```console\n{command(run.name, run.arguments)}\n```\n"
    idle = "" if run.idle_before is None else f"; just before, {run.idle_before:.0%} of the processors' time was idle"
    yield f"It took {run.seconds:.0f} s{idle}. {form.note}".strip() + "\n"


def _form(entry: Entry, name: str) -> Form:
    return entry.short if name == "short" else entry.full


def _facts(record: Record) -> Iterator[str]:
    yield "| | |\n|---|---|"
    for name, value in {**record.machine, "others": _others(record.runs), **record.versions}.items():
        yield _row(name, value)
    tree = "" if record.is_clean else ", with changes that were not committed"
    yield _row("commit", f"{record.commit}{tree}" if record.commit else "not a checkout")
    yield ""


def _others(runs: Sequence[Run]) -> str:
    """Say whether others used the machine: how much of it was idle just before each benchmark."""
    shares = [run.idle_before for run in runs if run.idle_before is not None]
    if not shares:
        return "not known"
    used = "used the machine" if _was_crowded(runs) else "did not use the machine"
    return f"{used}: just before a benchmark, {min(shares):.0%} to {max(shares):.0%} of the processors' time was idle"


def _was_crowded(runs: Sequence[Run]) -> bool:
    return any(run.idle_before is not None and run.idle_before < _CROWDED for run in runs)


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
