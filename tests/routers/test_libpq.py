"""The conversation with a server that must not hold anybody up."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from routers.captured import CapturedStatement
from routers.libpq import Deadline, DeadlineError, ask, connect, stream
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def within(seconds: float) -> Deadline:
    return Deadline(time.monotonic() + seconds, f"nothing within {seconds:g} s", time.monotonic)


@pytest.fixture
def link(servers: Servers) -> Iterator[PGconn]:
    connection = connect(servers.cluster.server("replica1").dsn(), within(20))
    yield connection
    connection.finish()


def test_several_statements_have_a_result_each(link: PGconn) -> None:
    results = ask(link, within(20), "BEGIN; SELECT 1, NULL; COMMIT")
    assert [result.ntuples for result in results] == [0, 1, 0]
    assert (results[1].get_value(0, 0), results[1].get_value(0, 1)) == (b"1", None)


def test_an_error_has_its_code_and_leaves_the_connection_of_use(link: PGconn) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(link, within(20), "SELECT 1; SELECT 1 / 0")
    assert len(ask(link, within(20), "SELECT 1")) == 1


def test_rows_come_while_the_server_still_makes_others(link: PGconn) -> None:
    """The later ones are never made: the error is theirs."""
    query = b"SELECT 1 / (1000000 - generate_series($1::int, 2000000))"
    count = 0

    def read() -> None:
        nonlocal count
        for result in stream(link, within(60), CapturedStatement(query, (b"1",), (23,), (0,))):
            assert result.ntuples < 10_000
            count += result.ntuples

    with pytest.raises(psycopg.errors.DivisionByZero):
        read()
    assert count > 900_000
    assert link.transaction_status == TransactionStatus.IDLE


def test_the_last_result_has_the_columns_of_an_answer_without_rows(link: PGconn) -> None:
    *_, last = stream(link, within(20), CapturedStatement(b"SELECT 1 AS one WHERE false"))
    assert (last.ntuples, last.fname(0)) == (0, b"one")


def test_parameters_may_be_binary(link: PGconn) -> None:
    statement = CapturedStatement(b"SELECT $1, $2", (b"\x00\x00\x00\x07", None), (23, 25), (1, 0))
    rows = [
        (result.get_value(row, 0), result.get_value(row, 1))
        for result in stream(link, within(20), statement)
        for row in range(result.ntuples)
    ]
    assert rows == [(b"7", None)]


def test_a_server_that_hangs_is_left_at_the_deadline(servers: Servers, link: PGconn) -> None:
    replica = servers.cluster.server("replica1")
    large = CapturedStatement(b"SELECT $1", (b"x" * 100_000_000,), (25,), (0,))
    replica.hang()
    try:
        with pytest.raises(DeadlineError, match=r"nothing within 0\.2 s"):
            connect(replica.dsn(), within(0.2))
        with pytest.raises(DeadlineError):
            list(stream(link, within(0.2), large))
    finally:
        replica.resume()


def test_a_server_that_ends_the_connection_says_why(link: PGconn) -> None:
    with pytest.raises(psycopg.errors.AdminShutdown):
        ask(link, within(20), "SELECT pg_terminate_backend(pg_backend_pid())")
