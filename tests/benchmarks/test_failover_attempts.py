"""What processes write down about their attempts is what the benchmark reads."""

import os
from pathlib import Path

import pytest

from benchmarks.failover.attempts import Kind, Log, Recorder


def refuse() -> None:
    raise ConnectionRefusedError


def test_an_attempt_is_read_with_its_outcome(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    assert recorder.note("replica1", Kind.STATEMENT, lambda: 7) == 7
    assert recorder.note("replica2", Kind.CHECK, lambda: False) is False
    with pytest.raises(ConnectionRefusedError):
        recorder.note("default", Kind.CONNECT, refuse)
    found = Log(tmp_path).attempts()
    assert [(attempt.alias, attempt.kind, attempt.is_ok) for attempt in found] == [
        ("replica1", Kind.STATEMENT, True),
        ("replica2", Kind.CHECK, False),
        ("default", Kind.CONNECT, False),
    ]
    assert all(attempt.begun <= attempt.ended < float("inf") for attempt in found)


def test_an_attempt_under_way_is_one_without_an_end(tmp_path: Path) -> None:
    recorder, log = Recorder(tmp_path), Log(tmp_path)
    during = recorder.note("replica1", Kind.STATEMENT, log.attempts)
    assert [(attempt.ended, attempt.is_ok) for attempt in during] == [(float("inf"), False)]
    (after,) = log.attempts()
    assert after.ended < float("inf")


def test_the_log_goes_on_where_it_was_and_leaves_half_a_line(tmp_path: Path) -> None:
    file, log = tmp_path / "1.log", Log(tmp_path)
    assert log.attempts() == []
    file.write_text("1 5.0 replica1 connect\n1 6.0")
    assert [attempt.ended for attempt in log.attempts()] == [float("inf")]
    file.write_text("1 5.0 replica1 connect\n1 6.0 ok\n2 7.0 replica1 statement\n")
    assert sorted((attempt.begun, attempt.ended) for attempt in log.attempts()) == [(5.0, 6.0), (7.0, float("inf"))]


def test_a_forked_process_has_a_file_of_its_own(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.note("replica1", Kind.CONNECT, lambda: None)
    child = os.fork()
    if not child:
        recorder.note("replica2", Kind.CONNECT, lambda: None)
        os._exit(0)
    os.waitpid(child, 0)
    assert {path.name for path in tmp_path.iterdir()} == {f"{os.getpid()}.log", f"{child}.log"}
    assert {attempt.alias for attempt in Log(tmp_path).attempts()} == {"replica1", "replica2"}


def test_nothing_is_recorded_without_a_folder() -> None:
    assert Recorder(None).note("replica1", Kind.CHECK, lambda: True)
