"""Places in long lists, as addresses say them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.places import Place

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it naive


@given(MOMENTS, st.integers(0, 2**63 - 1))
def test_a_place_is_read_as_it_was_written(at: datetime, pk: int) -> None:
    assert Place.parse(str(Place(at, pk))) == Place(at, pk)


@given(st.text())
def test_anything_else_is_no_place_and_fails_nothing(text: str) -> None:
    place = Place.parse(text)
    assert place is None or Place.parse(str(place)) == place


@pytest.mark.parametrize("text", ["", "-", "7", "7-", "-7", "x-7", "9" * 18 + "-1", "9" * 26 + "-1", "1-2-3", "٣-٤"])
def test_a_mangled_place_is_none(text: str) -> None:
    assert Place.parse(text) is None
