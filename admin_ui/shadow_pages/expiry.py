"""Until when a read may hold anything of people. Pages keep to it even where nothing has run that forgets it."""

from datetime import datetime, timedelta

from rollout.models import ShadowRead, ShadowState
from rollout.settings import get_settings


def expiry_of(read: ShadowRead) -> datetime:
    """Return when the statement and the values of a read are due to be forgotten."""
    return (read.compared_at or read.captured_at) + timedelta(days=get_settings().shadow_values_days)


def is_expired(read: ShadowRead, now: datetime) -> bool:
    """Say whether they are due. What was not compared yet is kept for that."""
    return read.state == ShadowState.DONE and expiry_of(read) <= now
