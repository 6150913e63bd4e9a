"""Answers in bounded memory: what their digests tell apart, and what they do not."""

import random
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tasks.comparing.answers import Answer, Digest, Row, Selector, first_difference, rows_in
from tests.tasks.comparing.digested import KEY, digested

rows = st.lists(st.tuples(st.none() | st.binary(max_size=3), st.none() | st.binary(max_size=3)), max_size=40)


@given(rows, st.randoms(use_true_random=False))
def test_no_order_of_the_rows_changes_the_buckets(listed: list[Row], randomness: random.Random) -> None:
    shuffled = listed.copy()
    randomness.shuffle(shuffled)
    one, other = digested(listed), digested(shuffled)
    assert one.buckets == other.buckets
    assert (one.in_order == other.in_order) is (listed == shuffled)


@given(rows, rows)
def test_buckets_are_equal_for_equal_multisets_only(listed: list[Row], others: list[Row]) -> None:
    def by_content(row: Row) -> list[tuple[bool, bytes]]:
        return [(value is None, value or b"") for value in row]

    are_equal = sorted(listed, key=by_content) == sorted(others, key=by_content)
    assert (digested(listed).buckets == digested(others).buckets) is are_equal
    assert (digested(listed).in_order == digested(others).in_order) is (listed == others)


def test_rows_that_only_look_alike_are_told_apart() -> None:
    alike: list[Row] = [(b"ab", b"c"), (b"a", b"bc"), (b"abc", b""), (b"abc", None), (None, b"abc"), (b"-",), (None,)]
    alike += [(b"",), (b"1:a",), (b"a",), (), (b"0:",)]
    assert len({digested([row]).buckets for row in alike}) == len(alike)


def test_a_row_counts_as_often_as_it_is_there() -> None:
    answers = [digested([(b"a",)] * count) for count in range(5)]
    assert len({answer.buckets for answer in answers}) == len(answers)
    assert [sum(map(rows_in, answer.buckets)) for answer in answers] == [0, 1, 2, 3, 4]


def test_another_key_gives_other_digests() -> None:
    other = Digest(b"another", most_rows=9, most_bytes=99)
    other.extend([(b"a",)])
    assert other.answer((), 0.0).buckets != digested([(b"a",)]).buckets


def test_rows_are_held_up_to_the_limits_and_not_beyond() -> None:
    listed: list[Row] = [(b"%d" % number,) for number in range(10)]
    assert digested(listed, most_rows=10).rows == tuple(listed)
    assert digested(listed, most_rows=9).rows is None
    # Each takes a byte for the digit and two for its length.
    assert digested(listed, most_bytes=30).rows == tuple(listed)
    assert digested(listed, most_bytes=29).rows is None


def test_a_selector_lets_rows_of_its_buckets_through_and_tells_which_they_are() -> None:
    listed: list[Row] = [(b"%d" % (number % 7), b"%d" % number) for number in range(50)]
    whole = digested(listed)
    bucket = next(number for number, digest in enumerate(whole.buckets) if digest)
    selected = digested(listed, selector=Selector(1, frozenset({bucket})))
    assert selected.rows is not None
    assert selected.numbers is not None
    assert selected.rows == tuple(listed[number] for number in selected.numbers)
    assert len({row[0] for row in selected.rows}) == 1
    assert selected.count == rows_in(whole.buckets[bucket]) == len(selected.rows)
    assert selected.buckets[bucket] == whole.buckets[bucket]
    assert sum(map(bool, selected.buckets)) == 1


def numbered(count: int, changed: int = -1, start: int = 0) -> Answer:
    return digested([(b"%d" % (-1 if number == changed else number),) for number in range(start, count)])


@given(st.integers(1, 3000), st.data())
def test_the_first_stretch_that_differs_has_the_row(count: int, data: st.DataObject) -> None:
    changed = data.draw(st.integers(0, count - 1))
    stretch = first_difference(numbered(count), numbered(count, changed))
    assert stretch is not None
    first, end = stretch
    assert first <= changed < end <= count


def test_stretches_of_long_lists_are_longer_and_still_compare() -> None:
    long, longer, changed = numbered(60_000), numbered(70_000), numbered(70_000, 50_001)
    assert long.chunk_rows < longer.chunk_rows
    assert len(longer.chunks) <= 1024
    assert first_difference(longer, numbered(70_000)) is None
    assert first_difference(longer, changed) == (49_920, 50_048)
    stretch = first_difference(long, longer)
    assert stretch is not None
    assert stretch[0] <= 60_000 < stretch[1]


def test_the_memory_does_not_grow_with_the_rows() -> None:
    def peak(count: int) -> int:
        digest = Digest(KEY, most_rows=100, most_bytes=10_000)
        tracemalloc.start()
        try:
            digest.extend((b"%d" % number, b"x" * 50) for number in range(count))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # 100 bytes a row and more, if they were kept.
    assert peak(60_000) < peak(20_000) + 1_000_000
