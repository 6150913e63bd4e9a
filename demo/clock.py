"""The clock of the demo's processes, which can be stopped for pictures that do not differ from one run to the next."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.utils import timezone

VARIABLE = "READSHIFT_DEMO_STANDS_STILL_AT"


LONGER_THAN_ANY_PICTURE_TAKES = 3_600.0


@contextmanager
def clock_stopped_at(moment: datetime) -> Iterator[None]:
    """Have the processes that are started in this block take it to be that moment all the time."""
    os.environ[VARIABLE] = moment.isoformat()
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def stop_if_told() -> None:
    """Stop Django's clock in this process if whoever started it said so. That of the databases goes on.

    What the process itself counts is not written either: it would be seen.
    """
    if told := os.environ.get(VARIABLE):
        moment = datetime.fromisoformat(told)
        timezone.now = lambda: moment
        settings.READSHIFT["FLUSH_SECONDS"] = LONGER_THAN_ANY_PICTURE_TAKES
