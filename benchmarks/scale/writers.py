"""Processes that write their counts to the primary, and what merging the counts of many takes."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from benchmarks.scale.crowd import Work, together
from benchmarks.scale.mix import Mix
from benchmarks.scale.primary import spending
from benchmarks.scale.project import PRIMARY, Site
from demo.cluster import Server

FLUSHES = (2, 10, 60)
"""Seconds between two flushes of a process."""
MERGED_ROWS = 300_000

_AT_ONCE = 2
_TABLES = ("readshift_tally", "readshift_endpointcount", "readshift_armcount")


def measure(server: Server, site: Site, mix: Mix, seconds: float) -> dict[str, Any]:
    """Return what a flush is and costs for each pause between two, from several processes that write at once."""
    found = {}
    for pause in FLUSHES:
        _empty(server)
        each, spent = together(server, site, _AT_ONCE, _flushes, mix, pause, seconds / len(FLUSHES))
        flushes, rows = sum(number for number, _ in each), _rows(server)
        found[str(pause)] = {
            "rows_per_flush": {table.removeprefix("readshift_"): round(rows[table] / flushes, 1) for table in _TABLES},
            "process_cpu_ms_per_flush": round(1000 * sum(own for _, own in each) / flushes, 2),
            "primary_cpu_ms_per_flush": round(spent.cpu_ms / flushes, 3),
            "wal_kilobytes_per_flush": round(spent.wal_bytes / flushes / 1000, 1),
            "rows_per_second_written": round(sum(rows.values()) / spent.seconds),
        }
    return found


def _flushes(number: int, mix: Mix, pause: float, seconds: float) -> Work:
    """Flush what arrives in each pause, without pausing, each time as another process."""
    from django.db import connection  # noqa: PLC0415 - they need settings

    from routers.agent import Agent  # noqa: PLC0415
    from routers.meter import Meter  # noqa: PLC0415

    meter = Meter()
    agent = Agent(meter)
    connection.ensure_connection()

    def flush() -> tuple[int, float]:
        """Return how many flushes that were, and the processor time of this process for them, in seconds."""
        until, flushes, own = time.monotonic() + seconds, 0, 0.0
        while flushes == 0 or time.monotonic() < until:
            serve(meter, mix, number + flushes * _AT_ONCE, pause)
            began = time.thread_time()
            agent.flush()
            own += time.thread_time() - began
            flushes += 1
        return flushes, own

    return flush


def serve(meter: Any, mix: Mix, process: int, seconds: float) -> None:
    """Count what a process would in so many seconds. meter: of `routers.meter`; the others are this process's."""
    from rollout.models import GateKind, Mode, Side, TallyKind, TargetKind  # noqa: PLC0415 - they need settings
    from rollout.policy import Rule  # noqa: PLC0415
    from rollout.reasons import Reason  # noqa: PLC0415
    from routers.arms import Membership, arms  # noqa: PLC0415
    from routers.endpoint_meter import endpoint_meter  # noqa: PLC0415
    from routers.series import Series  # noqa: PLC0415

    def count(alias: str, endpoint: str, model: str, reason: Reason) -> None:
        for kind in (TallyKind.DECISION, TallyKind.READ):
            meter.add(Series(kind, PRIMARY, alias, endpoint, model, reason.value))

    for visit in mix.visits(process, seconds):
        for model in mix.DENIED:
            count(PRIMARY, visit.endpoint, model, Reason.DENIED)
        for model in mix.MODELS:
            count(visit.replica, visit.endpoint, f"shop.{model}", Reason.ROUTED)
        endpoint_meter.count(
            visit.endpoint,
            visit.seconds,
            failed=False,
            has_written_safely=False,
            has_written_after_read=False,
            has_token=False,
        )
        if visit.is_gated:
            rule = Rule(TargetKind.ENDPOINT, visit.endpoint, Mode.ROUTE, GateKind.FLAG, visit.endpoint)
            member = Membership(rule, Side.REPLICA, revision=1, reads=len(mix.MODELS))
            arms.count([member], visit.seconds, failed=False)


def merge(server: Server, rows: int = MERGED_ROWS) -> dict[str, Any]:
    """Merge about so many rows of one minute, made from those that processes wrote last, and return what that took."""
    from django.utils import timezone  # noqa: PLC0415 - they need settings

    from rollout import arm_history, endpoint_history, rollup  # noqa: PLC0415

    written = _rows(server)
    copies = max(1, rows // max(1, sum(written.values())))
    minute = (timezone.now() - timedelta(hours=3)).replace(second=0, microsecond=0)
    for table in _TABLES:
        _repeat(server, table, copies, minute)
    before, counted = _rows(server), _counted(server)
    found: dict[str, Any] = {"rows": sum(before.values())}
    with spending(server) as spent:
        began = time.monotonic()
        for merger in (rollup, endpoint_history, arm_history):
            merger.merge(timezone.now(), PRIMARY)
        found["seconds"] = round(time.monotonic() - began, 3)
    after = _rows(server)
    found |= {
        "rows_left": sum(after.values()),
        "primary_cpu_ms_per_1000_rows": round(1000 * spent.cpu_ms / found["rows"], 3),
        "wal_bytes_per_row": round(spent.wal_bytes / found["rows"], 1),
        "counts_lost": counted - _counted(server),
    }
    for table in _TABLES:
        server.query(f"VACUUM FULL {table}")
    found["bytes_per_row"] = round(sum(_bytes(server, table) for table in _TABLES) / found["rows_left"])
    return found


def _repeat(server: Server, table: str, copies: int, minute: Any) -> None:
    """Have each row `copies` times, spread over the tens of seconds of one minute."""
    columns = [
        name
        for (name,) in server.query(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name NOT IN "
            "('id', 'starts_at', 'written_by') ORDER BY ordinal_position",
            [table],
        )
    ]
    names = ", ".join(columns)
    server.query(
        f"INSERT INTO {table} (starts_at, {names}) "  # noqa: S608 - the names are our own
        f"SELECT %s + (copy %% 6) * interval '10 s', {names} FROM {table}, generate_series(1, %s) AS copy",
        [minute, copies],
    )
    server.query(f"DELETE FROM {table} WHERE starts_at > %s + interval '1 h'", [minute])  # noqa: S608 - likewise
    server.query(f"VACUUM ANALYZE {table}")


def _empty(server: Server) -> None:
    server.query(f"TRUNCATE {', '.join(_TABLES)}")


def _rows(server: Server, tables: Sequence[str] = _TABLES) -> dict[str, int]:
    return {table: server.query(f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608 - our own


def _counted(server: Server) -> int:
    ((tallies, units, joined),) = server.query(
        "SELECT (SELECT coalesce(sum(count), 0) FROM readshift_tally), "
        "(SELECT coalesce(sum(units), 0) FROM readshift_endpointcount), "
        "(SELECT coalesce(sum(units), 0) FROM readshift_armcount)"
    )
    return int(tallies + units + joined)


def _bytes(server: Server, table: str) -> int:
    ((size,),) = server.query("SELECT pg_total_relation_size(%s::regclass)", [table])
    return int(size)
