"""`python -m benchmarks`: run every benchmark, and write `docs/benchmarks.md`.

They run one after the other, each in a process of its own and with a time limit. What they say meanwhile goes to
standard error. One that misses a bound or fails does not keep the next from running.

The exit status is 1 when a bound was missed or a benchmark measured nothing, and 2 when the run was stopped or could
not begin; then nothing is written.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from subprocess import CalledProcessError

from benchmarks import children
from benchmarks.entries import Entry, EntryError, entry, names
from benchmarks.machine import commit, idle_now, machine, versions
from benchmarks.outcomes import FAILED, attempt
from benchmarks.page import DATA, FILE, page, table
from benchmarks.progress import say
from benchmarks.record import Record, Run, is_good
from demo.cluster import ClusterError

_NAME = "benchmarks"


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--long", action="store_true", help="run the full form of each, which takes about two hours")
    found.add_argument("--only", choices=names(), nargs="+", metavar="NAME", help="run these alone, and write nothing")
    found.add_argument("--json", action="store_true", help="print the record as one line of JSON, the last line")
    found.add_argument("--page", action="store_true", help=f"run nothing; write {FILE.name} of {DATA.name} anew")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    entries = attempt(lambda: {name: entry(name) for name in names()}, EntryError)
    if entries is None:
        return FAILED
    if options.page:
        record = attempt(lambda: _recorded(entries), EntryError, OSError)
    else:
        chosen = {name: entries[name] for name in options.only or entries}
        record = attempt(lambda: _run(chosen, "full" if options.long else "short"), ClusterError, CalledProcessError)
    if record is None:
        return FAILED
    if not options.only:
        DATA.write_text(json.dumps(record.as_json(), indent=1) + "\n")
        FILE.write_text(page(record, entries))
        say(_NAME, f"wrote {FILE}")
    told = json.dumps(record.as_json()) if options.json else "\n".join(table(record.runs, entries))
    print(told)  # noqa: T201 - its output
    return 0 if is_good(record.runs, entries) else 1


def _recorded(entries: Mapping[str, Entry]) -> Record:
    record = Record.of_json(json.loads(DATA.read_text()))
    if unknown := {run.name for run in record.runs} - entries.keys():
        raise EntryError(f"{DATA} tells of {', '.join(sorted(unknown))}, which is no benchmark. Run make bench.")
    return record


def _run(entries: Mapping[str, Entry], form: str) -> Record:
    date = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    facts, known, (revision, is_clean) = machine(), versions(), commit()
    runs = tuple(_one(name, each, form) for name, each in entries.items())
    return Record(form, f"{date} UTC", revision, is_clean, facts, known, runs)


def _one(name: str, each: Entry, form: str) -> Run:
    chosen = each.short if form == "short" else each.full
    idle = idle_now()
    say(_NAME, f"{name} begins")
    command = [sys.executable, "-m", f"{_NAME}.{name}", *chosen.words, "--json"]
    ending = children.run(command, chosen.limit_seconds)
    say(_NAME, f"{name} took {ending.seconds:.0f} s {ending.last_words}".strip())
    rounded = None if idle is None else round(idle, 3)
    return Run(name, chosen.arguments, round(ending.seconds, 1), rounded, ending.figures, ending.last_words)


if __name__ == "__main__":
    sys.exit(main())
