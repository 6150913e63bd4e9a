"""Which transactions a snapshot sees, compared with what PostgreSQL itself says."""

from itertools import pairwise

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from rollout.snapshots import NOTHING_SEEN, Snapshot

# PostgreSQL leaves the lowest numbers out whenever the lower 32 bits begin anew.
NUMBERS = st.integers(3, 2**40).filter(lambda number: 3 <= number % 2**32 < 2**32 - 60)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    oldest = draw(NUMBERS)
    following = oldest + draw(st.integers(0, 50))
    running = draw(st.frozensets(st.integers(oldest, following - 1), max_size=9)) if following > oldest else frozenset()
    return Snapshot(oldest, following, running)


@given(snapshots())
def test_what_is_written_is_read_back(snapshot: Snapshot) -> None:
    assert Snapshot.parse(str(snapshot)) == snapshot


@given(snapshots(), snapshots(), NUMBERS)
def test_a_transaction_that_ends_is_new_to_exactly_one_look(first: Snapshot, second: Snapshot, number: int) -> None:
    looks = [NOTHING_SEEN, first, second]
    new_to = [now for before, now in pairwise(looks) if now.sees(number) and not before.sees(number)]
    assert len(new_to) == (first.sees(number) or second.sees(number))


@given(st.integers(2**31, 2**40), st.integers(-(2**31) + 1, 2**31 - 1))
def test_the_lower_half_of_a_number_near_by_is_completed(now: int, distance: int) -> None:
    number = now - distance
    assert Snapshot(now, now).whole(number % 2**32) == number


@pytest.mark.django_db
@given(snapshots(), st.integers(-3, 60))
def test_it_sees_what_postgresql_says_it_does(snapshot: Snapshot, distance: int) -> None:
    number = max(1, snapshot.oldest + distance)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_visible_in_snapshot(%s::text::xid8, %s::pg_snapshot)", [number, str(snapshot)])
        assert cursor.fetchone()[0] == snapshot.sees(number)


@pytest.mark.parametrize("text", ["", "1:2", "1:2:3:4", "a:b:", "1:2:x"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"values to unpack|invalid literal"):
        Snapshot.parse(text)
