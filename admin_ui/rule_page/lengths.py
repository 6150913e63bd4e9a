"""The lengths of time that a rule's history is shown for. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from admin_ui.drawing.windows import Window

_HOUR_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Length:
    """hours: how far it reaches back. bucket_seconds: how finely it is drawn; whole minutes, as old counts are.

    bucket: the same in words.
    """

    hours: int
    label: str
    bucket_seconds: int
    bucket: str

    def window(self, now: datetime) -> Window:
        """Return the window that ends now and begins with a whole bucket."""
        start = (now - timedelta(hours=self.hours)).timestamp() // self.bucket_seconds * self.bucket_seconds
        return Window(self.hours * 60, datetime.fromtimestamp(start, now.tzinfo), now, self.bucket_seconds)


LENGTHS = (
    Length(1, "1 h", 60, "minute"),
    Length(24, "24 h", _HOUR_SECONDS // 4, "quarter of an hour"),
    Length(7 * 24, "7 days", 2 * _HOUR_SECONDS, "span of two hours"),
)


def parse_length(text: str) -> Length:
    """Return the offered length of so many hours, the shortest for anything else."""
    return next((length for length in LENGTHS if str(length.hours) == text), LENGTHS[0])
