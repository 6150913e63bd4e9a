"""What a filter and a place in the record are read from."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.events.filters import SUBJECT_KINDS, Filter, FilterForm, Place, query_string
from rollout import journal, looks

MOMENTS = st.datetimes(min_value=datetime(1971, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it naive


def test_the_kinds_are_those_that_are_recorded() -> None:
    assert set(SUBJECT_KINDS) == {*journal._recorded_models(), looks.SUBJECT_KIND}


@given(MOMENTS, st.integers(1, 2**63 - 1))
def test_a_place_is_read_as_it_was_written(at: datetime, pk: int) -> None:
    assert Place.parse(str(Place(at, pk))) == Place(at, pk)


@pytest.mark.parametrize("text", ["", "-", "7", "7-", "-7", "x-7", "99999999999999999999999999-1", "1-2-3"])
def test_a_mangled_place_is_none(text: str) -> None:
    assert Place.parse(text) is None


def test_times_without_a_zone_are_local_and_others_are_what_they_say() -> None:
    with timezone.override("Europe/Berlin"):
        form = FilterForm({"since": "2026-11-25T03:15", "until": "2026-11-25T03:15:30Z"})
        assert form.is_valid()
        wanted = Filter.of(form)
    assert wanted.since == datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
    assert wanted.until == datetime(2026, 11, 25, 3, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "data", [{"since": "yesterday"}, {"door": "window"}, {"kind": "eaten"}, {"subject": "a\0b"}, {"subject_kind": "x"}]
)
def test_what_means_nothing_is_refused(data: dict[str, str]) -> None:
    assert not FilterForm(data).is_valid()


def test_an_address_carries_what_was_asked_and_nothing_else() -> None:
    form = FilterForm({"subject": "a&b=c", "who": "", "utm": "x", "before": "1-2"})
    assert query_string(form, before="3-4") == "subject=a%26b%3Dc&before=3-4"
