"""One PostgreSQL server as its clients see it, and what can be done to its replication."""

import signal
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from demo.cluster.account import run
from demo.cluster.errors import ClusterError
from demo.cluster.postmaster import Postmaster
from demo.cluster.processes import send
from demo.waiting import wait_until

USER = "postgres"
CONNECT_SECONDS = 2  # libpq's shortest

_WAIT_SECONDS = 10.0
_PROMOTE_SECONDS = 30.0

# A replica whose replay is held looks at its link to the primary only once it has replayed what it has.
_REPLAY_IS_HELD = "(pg_is_wal_replay_paused() OR current_setting('recovery_min_apply_delay') <> '0')"


class Server(Postmaster):
    """One server of a cluster, the primary or a replica.

    What concerns replication raises `psycopg.Error` on a primary, and `TimeoutError` when it does not happen in time.
    """

    _primary: Postmaster | None = None

    def create(self) -> None:
        """Make the data folder of an empty primary. Raises `ClusterError` when that fails."""
        # Segments of 1 MB instead of 16, because three servers write several of them before they do any work.
        storage = ["--no-sync", "--wal-segsize=1", "--encoding=UTF8", "--locale=C"]
        options = ["-U", USER, "--auth=trust", "--no-instructions"]
        run([self.binaries / "initdb", "-D", self.data, *options, *storage], self.data.parent)

    def clone(self, primary: "Server") -> None:
        """Make the data folder of a replica of a running primary, with a replication slot of this server's name.

        Raises `ClusterError` when that fails.
        """
        # Before the backup begins, not by its option -C: that makes the slot a moment after the backup has chosen where
        # it begins, and the checkpoint of another backup at the same time may remove the WAL in between.
        primary.query("SELECT pg_create_physical_replication_slot(%s, immediately_reserve => true)", [self.name])
        source = ["-h", primary.host, "-p", str(primary.port), "-U", USER]
        options = ["-R", "-X", "stream", "-S", self.name, "--checkpoint=fast", "--no-sync"]
        run([self.binaries / "pg_basebackup", "-D", self.data, *source, *options], self.data.parent)
        self._primary = primary

    def dsn(self, dbname: str = "postgres") -> str:
        """Return the connection string for libpq and psycopg. The user may do everything and has no password."""
        return make_conninfo(host=self.host, port=self.port, user=USER, dbname=dbname)

    def connect(self, dbname: str = "postgres", *, autocommit: bool = True) -> psycopg.Connection[TupleRow]:
        """Connect as an ordinary client, whose statements `statements()` counts. Gives up after `CONNECT_SECONDS`.

        Raises `psycopg.OperationalError` when the server is down, and its `ConnectionTimeout` when it hangs.
        """
        return psycopg.connect(self.dsn(dbname), autocommit=autocommit, connect_timeout=CONNECT_SECONDS)

    def query(
        self,
        statement: str | sql.SQL | sql.Composed,
        params: Sequence[object] | Mapping[str, object] | None = None,
        dbname: str = "postgres",
    ) -> list[TupleRow]:
        """Run one statement from outside, in a transaction of its own, and return its rows.

        `statements()` does not count it, and the application name tells it from the clients under observation. Raises
        `psycopg.Error`.
        """
        with self._observe(dbname) as connection:
            cursor = connection.execute(statement.encode() if isinstance(statement, str) else statement, params)
            return cursor.fetchall() if cursor.description else []

    def statements(self, containing: str = "") -> dict[str, int]:
        """Return how often clients ran each statement, in all databases, since `reset_statements()`.

        The keys are the normalised texts that hold `containing` (case matters): constants are $1, $2 and so on.
        """
        rows = self.query(
            "SELECT query, sum(calls)::bigint FROM pg_stat_statements WHERE strpos(query, %s) > 0 GROUP BY query",
            [containing],
        )
        return dict(rows)

    def reset_statements(self) -> None:
        """Let `statements()` count from zero, on this server alone."""
        self.query("SELECT pg_stat_statements_reset()")

    def pause_replay(self) -> None:
        """Keep a replica as it is now while it goes on receiving; return when no further record is applied."""
        self.query("SELECT pg_wal_replay_pause()")
        paused = "pg_get_wal_replay_pause_state() = 'paused' OR current_setting('recovery_min_apply_delay') <> '0'"
        self._wait_for(paused, f"{self.name} to pause its replay")

    def resume_replay(self) -> None:
        """Let a replica replay what it has received meanwhile, and go on."""
        self.query("SELECT pg_wal_replay_resume()")

    def set_apply_delay(self, seconds: float) -> None:
        """Let a replica apply every commit that much later than it happened; 0 ends it, also for commits held now."""
        self._configure("recovery_min_apply_delay", str(round(seconds * 1000)))

    def promote(self) -> None:
        """Make a replica a primary of its own, on a new timeline, and return when it takes writes."""
        self.query("SELECT pg_promote(wait => false)")
        self._wait_for("NOT pg_is_in_recovery()", f"{self.name} to be promoted", _PROMOTE_SECONDS)

    def disconnect(self) -> None:
        """Cut a replica off from its primary, and return when it receives nothing more. It keeps serving reads."""
        self._configure("primary_conninfo", "")
        # Ended as well as configured: while replay is paused or delayed, the server acts on the setting only later. And
        # from outside, because pg_terminate_backend() does not know this kind of process.
        send((pid for (pid,) in self.query("SELECT pid FROM pg_stat_wal_receiver")), signal.SIGTERM)
        self._wait_for("NOT EXISTS (SELECT FROM pg_stat_wal_receiver)", f"{self.name} to stop receiving")

    def reconnect(self, primary: Postmaster | None = None) -> None:
        """Let a replica stream from `primary`, by default the one it followed last, and return when it does.

        While its replay is paused or delayed this does not wait: the replica connects once it has replayed what it has.
        """
        self._primary = primary or self._primary
        if self._primary is None:
            raise ClusterError(f"{self.name} has followed no primary yet. Name the one to follow.")
        address = make_conninfo(host=self._primary.host, port=self._primary.port, user=USER)
        self._configure("primary_conninfo", address)
        self.wait_until_streaming()

    def wait_until_streaming(self) -> None:
        """Return when a replica receives from its primary, or cannot yet because its replay is paused or delayed."""
        port = self._primary.port if self._primary else 0
        streaming = f"EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming' AND sender_port = {port})"
        self._wait_for(f"{streaming} OR {_REPLAY_IS_HELD}", f"{self.name} to stream from port {port}")

    def commit_position(self) -> str:
        """Return a position in the WAL of a primary that lies behind every commit so far and is sure to be sent.

        The insert position is no such thing: behind asynchronous commits it runs ahead of what is flushed, and only
        flushed WAL is sent. The flush position may lie inside a record of a transaction that stays open, and is never
        replayed to then. So this commits a message of its own, synchronously, and returns where that record ends.
        """
        ((position,),) = self.query(
            "SELECT pg_logical_emit_message(true, 'readshift', '')::text"
            " FROM set_config('synchronous_commit', 'local', false)"
        )
        return str(position)

    def wait_for_position(self, position: str, timeout: float) -> None:
        """Return when a replica has replayed the WAL up to `position`, or is paused, or is a replica no more.

        Raises `TimeoutError` with both positions after `timeout` seconds.
        """
        reached = sql.SQL(
            "CASE WHEN NOT pg_is_in_recovery() THEN true WHEN pg_is_wal_replay_paused() THEN true"
            " ELSE coalesce(pg_last_wal_replay_lsn() >= {}, false) END"
        )
        try:
            self._wait_for(reached.format(position), f"{self.name} to replay up to {position}", timeout)
        except TimeoutError as error:
            ((replayed,),) = self.query("SELECT pg_last_wal_replay_lsn()::text")
            raise TimeoutError(f"{error} It has reached {replayed}.") from None

    def _configure(self, name: str, value: str) -> None:
        self.query(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), value))
        self.query("SELECT pg_reload_conf()")
        setting = sql.SQL("EXISTS (SELECT FROM pg_settings WHERE name = {} AND setting = {})").format(name, value)
        self._wait_for(setting, f"{self.name} to take {name} = {value!r}")

    def _wait_for(self, condition: str | sql.Composable, what: str, timeout: float = _WAIT_SECONDS) -> None:
        with self._observe() as connection:
            text = condition if isinstance(condition, str) else condition.as_string(connection)
            question = f"SELECT {text}".encode()
            wait_until(lambda: connection.execute(question).fetchone() == (True,), timeout, what)

    def _observe(self, dbname: str = "postgres") -> psycopg.Connection[TupleRow]:
        return psycopg.connect(
            self.dsn(dbname),
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="readshift-observer",
            options="-c pg_stat_statements.track=none",
        )
