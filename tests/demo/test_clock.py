"""The demo's clock, stopped for pictures."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from demo.clock import clock_stopped_at, stop_if_told

MOMENT = datetime(2026, 3, 2, 10, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(timezone, "now", timezone.now)
    settings.READSHIFT = {**settings.READSHIFT}


def test_a_process_that_is_told_so_stands_still_and_counts_nothing(settings: Any) -> None:
    with clock_stopped_at(MOMENT):
        stop_if_told()
    assert timezone.now() == MOMENT
    assert settings.READSHIFT["FLUSH_SECONDS"] >= 3_600


def test_one_that_is_told_nothing_goes_on() -> None:
    with clock_stopped_at(MOMENT):
        pass
    stop_if_told()
    assert timezone.now() > MOMENT
