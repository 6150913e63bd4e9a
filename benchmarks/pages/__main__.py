"""`python -m benchmarks.pages`."""

import argparse
import json
import os
import sys
from typing import Any

import django
import psycopg
from django.core.management import call_command

from benchmarks.bounds import missed
from benchmarks.idle import Idleness
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.pages import __doc__ as description
from benchmarks.pages.content import DAYS, ENDPOINTS, MODELS, REPLICAS, fill
from benchmarks.pages.entry import bounds
from benchmarks.processes import CHECKOUT
from benchmarks.progress import say
from demo.addresses import VARIABLE, Addresses
from demo.cluster import Cluster, ClusterError, default_root

NAME = "pages"
TIMES = 30
_REPLAY_SECONDS = 120.0


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.pages",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--times", type=int, default=TIMES, help="how often each page is asked for")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    if options.times < 1:
        parser().error(f"--times {options.times} measures nothing. Give 1 or more.")
    figures = attempt(lambda: _run(options.times), ClusterError, TimeoutError, OSError, psycopg.Error)
    if figures is None:
        return FAILED
    print(json.dumps(figures) if options.json else json.dumps(figures, indent=2))  # noqa: T201 - its output
    return status(NAME, missed(bounds(figures)))


def _run(times: int) -> dict[str, Any]:
    say(NAME, f"starting a primary and {REPLICAS} standbys")
    with Cluster(default_root(NAME), replicas=REPLICAS) as cluster:
        cluster.primary.query(f"CREATE DATABASE {NAME}")
        file = CHECKOUT / ".demo" / "pages-addresses.json"
        os.environ |= {VARIABLE: str(file), "DJANGO_SETTINGS_MODULE": "benchmarks.pages.settings"}
        Addresses(NAME, cluster.primary.port, tuple(server.port for server in cluster.replicas)).save()
        django.setup()
        call_command("migrate", verbosity=0)
        say(NAME, "filling the tables")
        rows = fill(cluster.primary.dsn(NAME), _plan())
        cluster.wait_for_replay(_REPLAY_SECONDS)
        say(NAME, f"{rows:,} rows of counts; asking for the pages")
        return {**_figures(times), "tallies": rows}


def _plan() -> dict[str, str]:
    """Return the stages of a rollout, and what six guardrails say of it."""
    from rollout.guardrails import Metric  # noqa: PLC0415 - Django is set up by now
    from rollout.stages import TEMPLATES, as_json  # noqa: PLC0415

    reason = "0.2 % of 12,345 units failed on replicas, 0.19 % of 23,456 on the primary; less than 2 times the share"
    verdicts = {
        metric.value: {"finding": "hold" if number == 0 else "pass", "reason": f"{metric}: {reason}", "trial": False}
        for number, metric in enumerate(Metric)
    }
    return {"stages": json.dumps(as_json(TEMPLATES["careful"].stages)), "verdicts": json.dumps(verdicts)}


def _figures(times: int) -> dict[str, Any]:
    from django.urls import reverse  # noqa: PLC0415 - Django is set up by now

    from admin_ui.drawing.windows import BUCKET_SECONDS, length_label  # noqa: PLC0415
    from benchmarks.pages.measure import measure, operator, process_at_work  # noqa: PLC0415

    client = operator()
    pages = {"overview": "admin:readshift_admin_dashboard_changelist", "refresh": "admin:readshift_live"}
    by_length: dict[str, dict[str, Any]] = {}
    idleness = Idleness()
    with process_at_work():
        for minutes in BUCKET_SECONDS:
            label = length_label(minutes)
            by_length[label] = {
                name: measure(client, f"{reverse(address)}?minutes={minutes}", times).as_json()
                for name, address in pages.items()
            }
            say(NAME, f"{label}: {json.dumps(by_length[label])}")
    worst = {
        f"{name}_{figure}": max(found[name][figure] for found in by_length.values())
        for name in pages
        for figure in ("ms", "queries")
    }
    return {
        **worst,
        "rules": len(ENDPOINTS) + len(MODELS),
        "replicas": REPLICAS,
        "days": DAYS,
        "idle_share": idleness.share(),
        "by_length": by_length,
    }


if __name__ == "__main__":
    sys.exit(main())
