"""Places in a list of reads, as addresses say them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from admin_ui.shadow_pages.paging import Place

MOMENTS = st.integers(min_value=0, max_value=10**17 - 1).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@given(MOMENTS, st.integers(min_value=0, max_value=10**18 - 1))
def test_what_is_written_is_read(at: datetime, pk: int) -> None:
    assert Place.parse(str(Place(at, pk))) == Place(at, pk)


@given(st.text())
def test_anything_else_is_no_place_and_fails_nothing(text: str) -> None:
    place = Place.parse(text)
    assert place is None or Place.parse(str(place)) == place
