"""What a filter is read from."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from admin_ui.events.filters import SUBJECT_KINDS, Filter, FilterForm, query_string
from rollout import journal, looks


def test_the_kinds_are_those_that_are_recorded() -> None:
    assert set(SUBJECT_KINDS) == {*journal._recorded_models(), looks.SUBJECT_KIND}


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
