"""What follows for a large site from what was measured: products and sums, each stated beside it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollout.options import Settings

if TYPE_CHECKING:
    from rollout.rollup import Step

PROCESSES = 1_000
READS_PER_SECOND = 100_000
RULES = 10_000
SELDOM_SECONDS = 600.0
"""POLICY_RELOAD_SECONDS where nobody changes rules behind the ORM's back."""

_MEAN_SHARE = 0.75
"""An agent's pauses are between half of the longest and the whole."""
_PLANS_PAUSE_SECONDS = 3.0
"""On average, in `routers.watchman`."""
_MS, _KB = 1000, 1000
_DAY_SECONDS = 86_400
_WAITING_SECONDS = 70.0
"""What is old enough waits for the next run of `readshift.roll_up`, and for the rest of its ten seconds."""

Measured = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Large:
    """A site of so many processes and rules.

    merged_rows: distinct rows of a minute once all processes' are merged. gathered_after, arms_after: seconds until the
    rows of all processes become one. steps: those of `rollout.rollup`.
    """

    processes: int
    rules: int
    merged_rows: int
    gathered_after: float
    arms_after: float
    steps: Sequence["Step"]

    def change(self, reload: Measured, notify: Measured) -> dict[str, float]:
        """Return what the primary spends on one change until the last process acts on it.

        processes x what one spends on reading the policy. The kill switch: processes x the two small questions, and the
        notification.
        """
        one, switch = reload[str(self.rules)], reload["kill_switch"]
        return {
            "primary_core_seconds": round(self.processes * one["primary_cpu_ms"] / _MS, 2),
            "megabytes": round(self.processes * one["kilobytes"] / _KB, 1),
            "kill_switch_core_seconds": round(
                (self.processes * switch["primary_cpu_ms"] + notify["primary_cpu_ms"]) / _MS, 3
            ),
        }

    def background(self, reload: Measured, idle: Measured, settings: Settings) -> dict[str, float]:
        """Return what the primary spends all the time, in cores, by what for, apart from counts.

        processes x cost / mean pause. memory_gb: processes x what a connection's backend has in use.
        """
        turns, one = idle["turns"], reload[str(self.rules)]
        poll_ms = max(idle["poll"]["primary_cpu_ms"], turns["poll"]["primary_cpu_ms"])
        polls = self.processes / (_MEAN_SHARE * settings.policy_poll_seconds)
        often, seldom = (
            self.processes / (_MEAN_SHARE * pause) for pause in (settings.policy_reload_seconds, SELDOM_SECONDS)
        )
        return {
            "polls_per_second": round(polls),
            "poll_cores": round(polls * poll_ms / _MS, 3),
            "heartbeat_cores": round(
                self.processes / settings.heartbeat_seconds * turns["heartbeat"]["primary_cpu_ms"] / _MS, 3
            ),
            "plans_cores": round(self.processes / _PLANS_PAUSE_SECONDS * turns["plans"]["primary_cpu_ms"] / _MS, 3),
            "reload_cores": round(often * one["primary_cpu_ms"] / _MS, 3),
            "reload_megabytes_per_second": round(often * one["kilobytes"] / _KB, 1),
            "reload_cores_every_10_minutes": round(seldom * one["primary_cpu_ms"] / _MS, 3),
            "connections_gb": round(self.processes * idle["memory_mb_per_connection"] / 1024, 2),
        }

    def statistics(self, flush: Measured, merged: Measured, pause: float) -> dict[str, float]:
        """Return what counts take with this many seconds between two flushes of a process.

        rows a second: processes x rows of a flush / pause; cores of writing in the same way; of merging: those rows x
        what merging one took. unmerged_rows: a second's rows x how long it takes until those of all processes are one,
        which is longer for arms.
        """
        each = {table: self.processes * number / pause for table, number in flush["rows_per_flush"].items()}
        rows, arms = sum(each.values()), each["armcount"]
        return {
            "rows_per_second": round(rows),
            "write_cores": round(self.processes * flush["primary_cpu_ms_per_flush"] / pause / _MS, 3),
            "merge_cores": round(rows * merged["primary_cpu_ms_per_1000_rows"] / 1000 / _MS, 3),
            "wal_megabytes_per_second": round(
                (self.processes * flush["wal_kilobytes_per_flush"] / pause + rows * merged["wal_bytes_per_row"] / _KB)
                / _KB,
                2,
            ),
            "unmerged_rows": round(
                (rows - arms) * (self.gathered_after + _WAITING_SECONDS) + arms * (self.arms_after + _WAITING_SECONDS)
            ),
        }

    def kept(self, merged: Measured, settings: Settings) -> dict[str, float]:
        """Return what the tables hold once merged: minutes for two days, then hours until `RETENTION_DAYS` are over."""
        minutes, hours = self.steps
        seconds = hours.after.total_seconds()
        by_minute = self.merged_rows * seconds / minutes.into_seconds
        by_hour = self.merged_rows * (settings.retention_days * _DAY_SECONDS - seconds) / hours.into_seconds
        return {
            "rows_per_day": round(self.merged_rows * _DAY_SECONDS / minutes.into_seconds),
            "rows": round(by_minute + by_hour),
            "gigabytes": round((by_minute + by_hour) * merged["bytes_per_row"] / 1e9, 2),
        }
