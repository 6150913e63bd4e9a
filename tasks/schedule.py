"""When the tasks run. A project adds this to its own beat schedule."""

from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "readshift.watch_plans": {"task": "readshift.watch_plans", "schedule": 2.0, "options": {"expires": 1.8}},
    "readshift.roll_up": {"task": "readshift.roll_up", "schedule": 60.0, "options": {"expires": 55}},
    "readshift.compare_lost": {"task": "readshift.compare_lost", "schedule": 30.0, "options": {"expires": 25}},
    "readshift.retain": {"task": "readshift.retain", "schedule": 3600.0, "options": {"expires": 3500}},
}
"""Task names by entry, with seconds between runs. A run that a worker did not reach in time is skipped."""
