"""What the tables hold at the beginning, as far as both those who read and those who write must know."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

ITEMS = 200
"""How many items the writer finds at the beginning. Their ids begin with 1."""

KINDS = ("cup", "jug", "lid", "pot")
COLOURS = ("blue", "green", "red")
MOVING = "moving"
FIRST_DAY = datetime(2025, 10, 24, tzinfo=ZoneInfo("UTC"))
DAYS = 4
"""The clocks of Berlin go back in the night to the third day."""


def photo_of(number: int) -> bytes:
    """Return the photo of an item: bytes that are no text."""
    return bytes((number % 256, 0, 255, 10, 92))


def code_of(number: int) -> UUID:
    """Return the code of an item."""
    return UUID(int=number << 64 | 7)
