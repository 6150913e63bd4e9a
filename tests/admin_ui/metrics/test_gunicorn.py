"""A web server of several processes: whichever of them is asked, the totals are the same, and they are those of all."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from benchmarks.processes import free_port, running
from demo.waiting import wait_until
from rollout.models import Process
from tests.admin_ui.metrics.support import ADDRESS, TOKEN, Series, parsed, total_of
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

WORKERS = 3
REQUESTS = 60


def getter(port: int) -> Callable[[str], bytes]:
    def get(path: str) -> bytes:
        # A connection for each, so that the kernel gives them to different workers.
        request = Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urlopen(request, timeout=30) as response:  # noqa: S310 - our own server
            body: bytes = response.read()
        return body

    return get


def counters(series: Series) -> Series:
    """Return what comes from the tables: nothing that each process sees with its own eyes."""
    seen = ("readshift_replica_fit", "readshift_replica_lag_seconds", "readshift_primary_down")
    return {key: value for key, value in series.items() if key[0] not in seen}


def test_any_worker_answers_the_totals_of_all(shop: Servers, tmp_path: Path) -> None:
    route("names")
    port, log = free_port(), tmp_path / "gunicorn.log"
    command = [
        "gunicorn",
        "django.core.wsgi:get_wsgi_application()",
        f"--workers={WORKERS}",
        f"--bind=127.0.0.1:{port}",
    ]
    variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.admin_ui.metrics.server_settings"}
    get = getter(port)

    def scrape() -> Series:
        return parsed(get(ADDRESS).decode())

    def names_read() -> float:
        return total_of(scrape(), "readshift_reads_total", endpoint="names")

    with running("gunicorn", [*command, "--preload", "--no-control-socket"], variables, log):
        wait_until(lambda: log.read_text().count("Booting worker") == WORKERS, 60, "the server to start")
        sent = 0

        def all_workers_count() -> bool:
            nonlocal sent
            get("/test/names/")
            sent += 1
            return Process.objects.filter(revision__isnull=False).count() == WORKERS

        wait_until(all_workers_count, 60, "every worker to serve requests")
        for _ in range(REQUESTS):
            get("/test/names/")
        sent += REQUESTS
        wait_until(lambda: names_read() == sent, 30, f"all {sent} reads to be counted")
        first = counters(scrape())
        assert total_of(first, "readshift_processes", state="current") == WORKERS
        assert total_of(first, "readshift_unit_duration_seconds_count", endpoint="names") == sent
        watched = {name for name, _ in first if name in {"readshift_reads_total", "readshift_replays_total"}}
        assert watched
        for _ in range(4 * WORKERS):
            again = scrape()
            for key, value in first.items():
                if key[0] in watched:
                    assert again[key] == value
