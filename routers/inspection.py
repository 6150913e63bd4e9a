"""Reads what servers say about themselves and about replication: all at once, and none of them holds up the others."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psycopg

from routers.libpq import Deadline, DeadlineError, ask
from routers.probe import connect_to
from routers.server_facts import ServerFacts, Silence, read_facts

ANSWER_SECONDS = 2.0
"""How long one server has, connecting included."""

TOTAL_SECONDS = 3.0
"""How long all of them have together: looking up the name of a host may take longer, and nothing can end that."""

KEPT_SECONDS = 3.0

SETTINGS = (
    "data_checksums",
    "default_transaction_read_only",
    "hot_standby",
    "hot_standby_feedback",
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_replication_slots",
    "max_slot_wal_keep_size",
    "max_standby_archive_delay",
    "max_standby_streaming_delay",
    "max_wal_senders",
    "max_worker_processes",
    "primary_slot_name",
    "recovery_min_apply_delay",
    "superuser_reserved_connections",
    "synchronous_commit",
    "synchronous_standby_names",
    "wal_keep_size",
    "wal_level",
    "wal_log_hints",
    "wal_receiver_status_interval",
)

_HAS_COLLATION_VERSION = 150_000
_ACTUAL_COLLATION = "pg_database_collation_actual_version(d.oid)"

# Rows of views as they are, since columns differ between versions. The timeline is found as the probe does.
_QUESTION = """
SELECT jsonb_build_object(
    'version', current_setting('server_version_num')::int,
    'version_name', current_setting('server_version'),
    'is_standby', here.is_standby,
    'system', (SELECT system_identifier::text FROM pg_control_system()),
    'timeline', CASE WHEN here.is_standby
        THEN greatest((SELECT max(received_tli) FROM pg_stat_wal_receiver),
                      (SELECT timeline_id FROM pg_control_checkpoint()))
        ELSE ('x' || left(pg_walfile_name(here.stands), 8))::bit(32)::int END,
    'may_read_all', pg_has_role('pg_read_all_stats', 'USAGE'),
    'role', current_user,
    'inserted', CASE WHEN NOT here.is_standby THEN pg_current_wal_insert_lsn() - '0/0' END,
    'flushed', CASE WHEN NOT here.is_standby THEN pg_current_wal_flush_lsn() - '0/0' END,
    'received', CASE WHEN here.is_standby THEN pg_last_wal_receive_lsn() - '0/0' END,
    'replayed', CASE WHEN here.is_standby THEN pg_last_wal_replay_lsn() - '0/0' END,
    'replayed_ago', CASE WHEN here.is_standby
        THEN greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())) END,
    'pause', CASE WHEN here.is_standby THEN pg_get_wal_replay_pause_state() END,
    'receiver', (SELECT to_jsonb(w) - 'conninfo' FROM pg_stat_wal_receiver w),
    'senders', (SELECT jsonb_agg(to_jsonb(s) || jsonb_build_object(
            'write_lag', extract(epoch FROM write_lag), 'flush_lag', extract(epoch FROM flush_lag),
            'replay_lag', extract(epoch FROM replay_lag), 'behind', here.stands - replay_lsn)
        ORDER BY s.application_name, s.pid) FROM pg_stat_replication s),
    'slots', (SELECT jsonb_agg(to_jsonb(s) || jsonb_build_object('retained', here.stands - restart_lsn)
        ORDER BY s.slot_name) FROM pg_replication_slots s),
    'conflicts', (SELECT to_jsonb(c) FROM pg_stat_database_conflicts c WHERE c.datname = current_database()),
    'connections', (SELECT sum(numbackends) FROM pg_stat_database),
    'subscriptions', (SELECT count(s.oid) FROM pg_subscription s WHERE s.subdbid = d.oid AND s.subenabled),
    'settings', (SELECT jsonb_agg(to_jsonb(s)) FROM pg_settings s WHERE s.name IN ({settings})),
    'recorded_collation', to_jsonb(d) ->> 'datcollversion',
    'actual_collation', {actual}
)::text
FROM pg_database d, (
    SELECT pg_is_in_recovery() AS is_standby,
           CASE WHEN pg_is_in_recovery()
                THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_insert_lsn() END AS stands
) AS here
WHERE d.datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What each server said, by alias. at: when they had been asked, on the monotonic clock."""

    servers: Mapping[str, ServerFacts | Silence]
    at: float

    def facts(self, alias: str) -> ServerFacts | None:
        """Return what a server said, or None if it said nothing."""
        said = self.servers.get(alias)
        return said if isinstance(said, ServerFacts) else None


def inspect(
    aliases: Iterable[str], *, answer: float = ANSWER_SECONDS, total: float = TOTAL_SECONDS
) -> Mapping[str, ServerFacts | Silence]:
    """Ask servers, each in a thread and on a connection of its own that is closed afterwards. In seconds.

    Raises nothing that a server can cause.
    """
    wanted = sorted(aliases)
    said: dict[str, ServerFacts | Silence] = {}

    def look(alias: str) -> None:
        said[alias] = _look(alias, answer)

    # Daemons, and no pool of threads: the end of the process would wait for one that waits for a name server.
    threads = [
        threading.Thread(target=look, args=(alias,), name=f"readshift-inspect-{alias}", daemon=True) for alias in wanted
    ]
    until = time.monotonic() + total
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    found = dict(said)
    return {alias: found.get(alias, Silence(f"did not answer within {total:g} s")) for alias in wanted}


class Inspector:
    """Keeps what servers said for a few seconds, so that many pages at once ask them no more than one does."""

    def __init__(
        self,
        look: Callable[[Iterable[str]], Mapping[str, ServerFacts | Silence]] = inspect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: Inspection | None = None

    def inspect(self, aliases: Iterable[str]) -> Inspection:
        """Return what these servers said not long ago, or ask them. Whoever comes meanwhile shares the answer."""
        wanted = frozenset(aliases)
        # A process that was forked while this was held goes on all the same.
        is_held = self._lock.acquire(timeout=TOTAL_SECONDS + 1)
        try:
            if self._kept is None or not self._is_good(self._kept, wanted):
                servers = self._look(wanted)
                self._kept = Inspection(servers, self._clock())
            return self._kept
        finally:
            if is_held:
                self._lock.release()

    def forget(self) -> None:
        """Ask anew next time."""
        self._kept = None

    def _is_good(self, kept: Inspection, wanted: frozenset[str]) -> bool:
        return kept.servers.keys() == wanted and self._clock() - kept.at < KEPT_SECONDS


inspector = Inspector()
"""The inspector of this process."""


def _look(alias: str, seconds: float) -> ServerFacts | Silence:
    deadline = Deadline(time.monotonic() + seconds, f"did not answer within {seconds:g} s", time.monotonic)
    try:
        connection = connect_to(alias, deadline)
        try:
            # The limit is for a server that would go on working for nobody once this has hung up.
            statements = (
                f"BEGIN READ ONLY; SET LOCAL statement_timeout = {round(seconds * 1000)}; "
                f"{_question(connection.server_version)}; COMMIT"
            )
            (_, _, result, _) = ask(connection, deadline, statements)
            return read_facts(json.loads(result.get_value(0, 0) or b"{}"))
        finally:
            connection.finish()
    except DeadlineError as error:
        return Silence(str(error))
    except psycopg.errors.InsufficientPrivilege as error:
        return Silence(f"does not tell this role how it stands, so grant it pg_monitor: {_words(error)}")
    except (psycopg.Error, OSError) as error:
        return Silence(f"did not answer: {_words(error)}")
    except (KeyError, TypeError, ValueError) as error:
        # What answers may be no PostgreSQL that is known here, and the others are worth seeing all the same.
        return Silence(f"gave an answer that cannot be read: {_words(error)}")


def _question(version: int) -> str:
    names = ", ".join(f"'{name}'" for name in SETTINGS)
    actual = _ACTUAL_COLLATION if version >= _HAS_COLLATION_VERSION else "NULL"
    return _QUESTION.format(settings=names, actual=actual)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
