"""What a worker reads on one server, against real servers that are held back, stopped and disturbed."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections
from django.db.backends.signals import connection_created
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from demo.waiting import wait_until
from rollout.outcomes import ShadowCause
from routers.captured import CapturedStatement
from tasks.comparing.answers import Selector, rows_in
from tasks.comparing.differences import Privacy, compare
from tasks.comparing.narrowing import narrow
from tasks.comparing.questions import PLANS, Kind
from tasks.comparing.read_errors import ReadError
from tasks.comparing.servers import Server
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAMES = CapturedStatement(b"SELECT id, name FROM thing ORDER BY id")


@pytest.fixture
def things(servers: Servers) -> Iterator[Servers]:
    """A table of two rows on all servers."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE thing (id int PRIMARY KEY, name text)")
        cursor.execute("INSERT INTO thing VALUES (1, 'one'), (2, 'two')")
    servers.settle()
    yield servers
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS thing")


def add_thing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO thing VALUES (3, 'three')")


def error_of(server: Server, query: bytes) -> ReadError:
    with pytest.raises(ReadError) as caught:
        server.read(CapturedStatement(query))
    return caught.value


def captured(cursor: Any, **session: str) -> CapturedStatement:
    """Return what a cursor of Django's has sent."""
    query = cursor.cursor._query
    if not isinstance(cursor.cursor, psycopg.Cursor) or isinstance(cursor.cursor, psycopg.ClientCursor):
        return CapturedStatement(query.query, session=session)
    return CapturedStatement(
        query.query,
        tuple(None if value is None else bytes(value) for value in query.params),
        tuple(query.types),
        tuple(map(int, query.formats)),
        session,
    )


def test_a_reading_has_the_rows_and_says_where_they_come_from(things: Servers) -> None:
    with Server("default") as primary, Server("replica1") as replica:
        assert (primary.kind, replica.kind) == (Kind.PRIMARY, Kind.STANDBY)
        one, other = primary.read(NAMES).answer, replica.read(NAMES).answer
    assert one.rows == other.rows == ((b"1", b"one"), (b"2", b"two"))
    assert [column.name for column in one.columns] == ["id", "name"]
    assert [column.type for column in one.columns] == [23, 25]
    assert [column.number for column in one.columns] == [1, 2]
    assert one.columns[0].table == one.columns[1].table > 0
    assert compare(one, other, Privacy(repr), is_ordered=True) is None


def test_a_replica_answers_the_same_once_it_has_reached_the_position_of_the_primary(things: Servers) -> None:
    with Server("default") as primary, Server("replica1") as replica:
        with things.held():
            before = replica.position()
            add_thing()
            reading = primary.read(NAMES)
            assert replica.wait_for(reading.position, time.monotonic() + 0.05) is None
            stale = replica.read(NAMES)
            assert stale.answer.count == 2
            assert before <= stale.position < reading.position
        seen = replica.wait_for(reading.position, time.monotonic() + 20)
        assert seen is not None
        assert seen >= reading.at
        again = replica.read(NAMES)
    assert again.position >= reading.position
    assert again.answer.rows == reading.answer.rows
    assert reading.answer.count == 3


def test_commits_that_are_applied_late_are_waited_for(things: Servers) -> None:
    delayed = things.cluster.server("replica1")
    with Server("default") as primary, Server("replica1") as replica:
        delayed.set_apply_delay(3600)
        try:
            add_thing()
            reading = primary.read(NAMES)
            assert replica.wait_for(reading.position, time.monotonic() + 0.05) is None
        finally:
            delayed.set_apply_delay(0)
        assert replica.wait_for(reading.position, time.monotonic() + 20) is not None
        assert replica.read(NAMES).answer.count == 3


def test_the_position_of_a_snapshot_is_not_before_anything_that_it_shows(things: Servers) -> None:
    """Others write all the time; each says where the log ended before it wrote."""
    ends: list[int] = []
    is_over = False

    def write() -> None:
        with things.cluster.primary.connect("test_readshift") as writing:
            for number in count(10):
                if is_over:
                    return
                (lsn,) = writing.execute(
                    "INSERT INTO thing VALUES (%s, pg_current_wal_insert_lsn() - '0/0') RETURNING name", [number]
                ).fetchone() or ("",)
                ends.append(int(lsn))

    writer = Thread(target=write)
    writer.start()
    try:
        with Server("default") as primary, Server("replica1") as replica:
            wait_until(lambda: ends, 20, "the first row")
            for _ in range(100):
                shown, before = primary.read(NAMES), len(ends)
                assert all(int(name or 0) <= shown.position for _, name in (shown.answer.rows or ())[2:])
                late = replica.read(NAMES)
                rows = {int(name or 0) for _, name in (late.answer.rows or ())[2:]}
                assert all(end in rows for end in ends[:before] if end < late.position - 8192)
    finally:
        is_over = True
        writer.join()


def values() -> list[Any]:
    return [
        datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC),
        date(2024, 2, 29),
        timedelta(days=3, seconds=5),
        Decimal("12345678901234567890.123456789"),
        1.1,
        2**40,
        True,
        None,
        'it\'s \\ a "text" with é and % and ; --',
        [1, 2, 3],
        ["a", 'b"c', None],
        UUID("12345678-1234-5678-1234-567812345678"),
        b"\x00\xff'\\",
        Jsonb({"a": [1, None, "it's"]}),
        Range(1, 5),
        Range(datetime(2024, 1, 1, tzinfo=UTC), None),
    ]


@pytest.mark.parametrize("is_server_side", [False, True], ids=["client-side", "server-side"])
def test_parameters_of_every_type_are_sent_again_as_they_were(things: Servers, is_server_side: bool) -> None:
    settings = connections["default"].settings_dict
    options = {**settings["OPTIONS"], "server_side_binding": is_server_side}
    host = type(connections["default"])({**settings, "OPTIONS": options}, alias="default")
    names = "timestamptz date interval numeric float8 int8 bool int4 text int4[] text[] uuid bytea jsonb int4range"
    types = [*names.split(), "tstzrange"]
    query = f"SELECT {', '.join(f'%s::{name}' for name in types)}"
    with closing(host), host.cursor() as cursor:
        cursor.execute(query, values())
        answered = cursor.fetchone()
        statement = captured(cursor, TimeZone="Asia/Tokyo")
    assert bool(statement.parameters) is is_server_side
    with Server("default") as primary, Server("replica1") as replica:
        (row,) = primary.read(statement).answer.rows or ()
        assert replica.read(statement).answer.rows == (row,)
    assert row[0] == b"2024-05-06 16:08:09.123456+09"
    assert row[15] == b'["2024-01-01 09:00:00+09",)'
    assert row[3] == b"12345678901234567890.123456789"
    assert row[7] is None
    assert row[10] == b'{a,"b\\"c",NULL}'
    assert row[12] == b"\\x00ff275c"
    with connection.cursor() as cursor:
        cursor.execute(query, [None if value is None else value.decode() for value in row])
        assert cursor.fetchone() == answered


def test_settings_of_a_statement_end_with_it(things: Servers) -> None:
    zone = CapturedStatement(b"SELECT current_setting('TimeZone'), current_setting('statement_timeout')")
    hers = CapturedStatement(zone.query, session={"TimeZone": "Asia/Tokyo", "application_name": "it's \\ hers"})
    with Server("replica1", timeout=7.0) as server:
        assert server.read(hers).answer.rows == ((b"Asia/Tokyo", b"7s"),)
        assert server.read(zone).answer.rows == ((b"UTC", b"7s"),)
        name = CapturedStatement(b"SELECT current_setting('application_name')", session=hers.session)
        assert server.read(name).answer.rows == ((b"it's \\ hers",),)


def test_the_session_is_the_one_that_the_host_would_have(things: Servers, settings: Any) -> None:
    options = connections["replica1"].settings_dict["OPTIONS"]
    options |= {"options": "-c work_mem=3MB", "assume_role": "pg_monitor"}
    try:
        with Server("replica1") as server:
            rows = server.read(CapturedStatement(b"SELECT current_setting('work_mem'), current_user")).answer.rows
    finally:
        del options["options"], options["assume_role"]
    assert rows == ((b"3MB", b"pg_monitor"),)


@pytest.mark.parametrize(
    "query",
    [
        b"INSERT INTO thing VALUES (9, 'nine')",
        b"SELECT 1; COMMIT; INSERT INTO thing VALUES (9, 'nine')",
        b"SELECT nextval('numbers')",
        b"SELECT * FROM thing FOR UPDATE",
    ],
)
@pytest.mark.parametrize("alias", ["default", "replica1"])
def test_nothing_is_written(things: Servers, alias: str, query: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE numbers OWNED BY thing.id")
    things.settle()
    with Server(alias) as server:
        assert error_of(server, query).cause is ShadowCause.REFUSED
        assert server.read(NAMES).answer.count == 2


def test_what_ends_the_transaction_leaves_the_connection_of_use(things: Servers) -> None:
    with Server("default") as server:
        server.read(CapturedStatement(b"COMMIT"))
        assert server.read(NAMES).answer.count == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (b"SELECT * FROM nowhere WHERE name = 'secret'", "42P01 UndefinedTable"),
        (b"SELECT 'secret'::int", "22P02 InvalidTextRepresentation"),
        (b"SELECT name::int / 0 FROM thing WHERE name <> 'secret'", "22P02 InvalidTextRepresentation"),
        (b"SELECT 'secret", "42601 SyntaxError"),
        (b"COPY (SELECT 'secret') TO STDOUT", "NotSupportedError"),
    ],
)
def test_a_refusal_says_why_and_quotes_nothing(things: Servers, query: bytes, words: str) -> None:
    with Server("replica1") as server:
        error = error_of(server, query)
        assert (error.cause, error.words) == (ShadowCause.REFUSED, words)
        assert "secret" not in str(error)
        assert error.__suppress_context__
        if not server.is_broken:
            assert server.read(NAMES).answer.count == 2


def test_a_statement_that_takes_too_long_is_ended_by_the_server(things: Servers) -> None:
    with Server("replica1", timeout=0.1) as server:
        error = error_of(server, b"SELECT pg_sleep(600)")
        assert (error.cause, error.words) == (ShadowCause.TIMEOUT, "57014 QueryCanceled")
        assert server.read(NAMES).answer.count == 2


@contextmanager
def hanging(servers: Servers) -> Iterator[None]:
    server = servers.cluster.server("replica1")
    server.hang()
    try:
        yield
    finally:
        server.resume()


def test_a_server_that_hangs_holds_nobody(things: Servers) -> None:
    with Server("replica1", timeout=0.1) as reading, Server("replica1", timeout=0.1) as asking, hanging(things):
        error = error_of(reading, NAMES.query)
        assert (error.cause, error.words) == (ShadowCause.TIMEOUT, "no answer within 1.1 s")
        with pytest.raises(ReadError) as caught:
            asking.wait_for(2**60, time.monotonic() + 600)
        assert caught.value.cause is ShadowCause.TIMEOUT
        assert reading.is_broken
        assert error_of(reading, NAMES.query).cause is ShadowCause.UNREACHABLE


def test_a_server_that_hangs_holds_nobody_who_connects(things: Servers) -> None:
    with hanging(things), pytest.raises(ReadError) as caught, Server("replica1"):
        pass
    assert caught.value.cause is ShadowCause.UNREACHABLE


def test_a_server_that_begins_to_hang_while_django_sets_up_the_session_holds_nobody(things: Servers) -> None:
    def hang(connection: Any, **_: Any) -> None:
        things.cluster.server("replica1").hang()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    connection_created.connect(hang)
    try:
        with pytest.raises(ReadError) as caught, Server("replica1"):
            pass
    finally:
        connection_created.disconnect(hang)
        things.cluster.server("replica1").resume()
    assert caught.value.cause is ShadowCause.UNREACHABLE


def test_a_server_that_keeps_sending_holds_nobody(things: Servers) -> None:
    """It has a minute by its own clock, as if it did not heed the timeout. The client's clock is soon beyond that."""
    calls = count()
    endless = CapturedStatement(b"SELECT generate_series(1, 1e12)")

    def clock() -> float:
        return time.monotonic() + (100 if next(calls) > 50 else 0)

    with Server("replica1", timeout=60, most_rows=10, clock=clock) as server:
        with pytest.raises(ReadError) as caught:
            server.read(endless)
        assert (caught.value.cause, caught.value.words) == (ShadowCause.TIMEOUT, "no answer within 61 s")
        assert server.is_broken


def test_a_server_that_ends_the_connection_says_so(things: Servers) -> None:
    with Server("replica1") as server:
        error = error_of(server, b"SELECT pg_terminate_backend(pg_backend_pid())")
        assert (error.cause, error.words) == (ShadowCause.UNREACHABLE, "57P01 AdminShutdown")
        assert server.is_broken


def test_a_conflict_with_replay_is_told_apart(things: Servers) -> None:
    replica = things.cluster.server("replica1")
    replica.query("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    replica.query("SELECT pg_reload_conf()")

    def drop() -> None:
        asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_until(lambda: replica.query(asleep), 20, "the read to be under way")
        things.cluster.primary.query("DROP TABLE thing", dbname="test_readshift")

    dropping = Thread(target=drop)
    dropping.start()
    try:
        with Server("replica1", timeout=60) as server:
            error = error_of(server, b"SELECT pg_sleep(50) FROM thing")
            assert (error.cause, error.words) == (ShadowCause.CONFLICT, "40001 SerializationFailure")
            assert server.position() > 0
    finally:
        dropping.join()
        replica.query("ALTER SYSTEM RESET max_standby_streaming_delay")
        replica.query("SELECT pg_reload_conf()")


@pytest.fixture
def many_things(things: Servers) -> Servers:
    """Things of which each name is that of several, in a table that the planner has seen."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO thing SELECT n, 'name' || n * 7919 % 40 FROM generate_series(1001, 3000) n")
        cursor.execute("CREATE INDEX ON thing (name, id DESC)")
        cursor.execute("VACUUM ANALYZE thing")
    things.settle()
    return things


@pytest.mark.parametrize(
    "query",
    [
        b"SELECT name, id FROM thing WHERE name > 'name1' ORDER BY name LIMIT 70",
        b"SELECT name FROM thing LIMIT 5 OFFSET 900",
        b"SELECT id, random() FROM thing WHERE id < 2000",
    ],
)
def test_a_statement_that_leaves_something_open_answers_differently_in_one_snapshot(
    many_things: Servers, query: bytes
) -> None:
    with Server("default") as server:
        first, *others = server.read_under(CapturedStatement(query))
    assert any(other.answer.buckets != first.answer.buckets for other in others)
    assert {other.position for other in others} == {first.position}


def test_a_statement_that_leaves_nothing_open_answers_the_same_under_every_plan(many_things: Servers) -> None:
    ordered = CapturedStatement(b"SELECT name, id FROM thing WHERE name > 'name1' ORDER BY name, id LIMIT 70")
    with Server("replica1") as server:
        readings = server.read_under(ordered)
        plans = server.read_under(CapturedStatement(b"EXPLAIN " + ordered.query))
        assert error_of(server, b"SELECT nothing").cause is ShadowCause.REFUSED
        assert server.read(CapturedStatement(b"SHOW enable_seqscan")).answer.rows == ((b"on",),)
    assert len({reading.answer.in_order for reading in readings}) == 1
    assert len({plan.answer.in_order for plan in plans}) > 1
    assert len(readings) == len(PLANS)


def test_an_answer_that_cannot_be_held_is_read_again_where_it_differs(many_things: Servers) -> None:
    things, changed = (
        CapturedStatement(b"SELECT id, " + name + b" FROM thing")
        for name in (b"name", b"CASE id WHEN 1500 THEN 'other' ELSE name END AS name")
    )
    with Server("default", most_rows=100) as primary, Server("replica1", most_rows=100) as replica:
        mine, theirs = primary.read(things).answer, replica.read(changed).answer
        assert (mine.rows, mine.count) == (None, 2002)
        assert sum(map(rows_in, mine.buckets)) == 2002
        selector = narrow(mine, theirs, 100)
        assert isinstance(selector, Selector)
        mine, theirs = (
            server.read(statement, selector=selector).answer
            for server, statement in ((primary, things), (replica, changed))
        )
    found = compare(mine, theirs, Privacy(repr), is_ordered=False)
    assert found is not None
    assert (found.cause, found.details["columns"]) == (ShadowCause.CHANGED_COLUMN, [{"column": "name", "rows": 1}])
    assert found.details["examples"]["changed"][0]["row"] == 501
