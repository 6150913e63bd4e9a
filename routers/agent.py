"""The agent of a process: keeps its policy fresh and writes its counts, away from the read path."""

import atexit
import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from rollout.changes import policy_changed
from rollout.loading import is_kill_switch_on, load_policy, read_revision
from rollout.models import Tally
from rollout.policy import Policy
from rollout.reasons import Reason
from rollout.settings import Refresh, get_settings, refresh
from routers.arms import arms
from routers.control import ControlConnection, control_alias
from routers.departures import Seat, departures
from routers.endpoint_meter import endpoint_meter
from routers.footing import footing
from routers.meter import Meter, meter, tallies
from routers.overriding import overriding
from routers.own_work import own_work
from routers.presence import Presence
from routers.watchman import Watchman

logger = logging.getLogger("readshift")

_LONGEST_PAUSE_SECONDS = 10.0
_LONGEST_SETTLING_SECONDS = 1.0
"""How long a change may take to reach all processes. Notifications take milliseconds; one that is lost is found by the
next poll, which may be later where polls are rare."""

_SHORTEST_PAUSE_SECONDS = 0.002
"""How soon the agent looks again whether reads that an earlier policy let go have arrived; then twice as late, each
time."""

_LEAST_SHARE = 0.5
"""The shortest pause between what every process does again and again, as a share of the longest. A notification wakes
all at once, and they must not poll, write and reload in step from then on."""

_STOP_SECONDS = 5.0
"""How long a process waits at its end for a primary that takes no counts."""


@dataclass(frozen=True, slots=True)
class Former:
    """A policy that was replaced a moment ago. settled_at: when every process has replaced it, on the agent's clock."""

    policy: Policy
    settled_at: float


class Agent:
    """Holds the policy of one process.

    In the background mode a thread, started by the first unit and again after a fork, listens for new revisions,
    polls for those that no notification announced, acknowledges them, flushes the meter, and looks after plans that
    nobody else does. In the inline mode the policy is read by whoever asks first after a change, in its own
    transaction, and counts are written by `flush()` only.
    """

    def __init__(self, counts: Meter, clock: Callable[[], float] = time.monotonic) -> None:
        self._meter = counts
        self._clock = clock
        self._presence = Presence(clock)
        self._policy: Policy | None = None
        self._former: Former | None = None
        self._awaited: Mapping[Seat, float] = {}
        self._refreshed_at = float("-inf")
        self._reloaded_at = float("-inf")
        self._due_at = float("-inf")
        self._flushed_at = float("-inf")
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._connection: ControlConnection | None = None
        self._watchman = Watchman(clock)

    def state(self) -> tuple[Policy | None, Reason | None]:
        """Return the policy, and the reason why it must not decide, if there is one. Costs no query in the background.

        One that is too old comes with its reason: while the primary is down, there is none that is newer.
        """
        mode = refresh()
        if mode is Refresh.OFF:
            return None, Reason.DISABLED
        if overriding.policy is not None:
            return overriding.policy, None
        if mode is Refresh.BACKGROUND:
            self.start()
        elif self._policy is None:
            self.try_reload()
        if self._policy is None:
            return None, Reason.POLICY_MISSING
        is_kept_fresh = mode is Refresh.BACKGROUND
        if is_kept_fresh and self._clock() - self._refreshed_at > get_settings().policy_max_age_seconds:
            return self._policy, Reason.POLICY_STALE
        return self._policy, None

    def is_current(self, policy: Policy | None) -> bool:
        """Say whether this is still the policy that `state` would return."""
        return policy is (self._policy if overriding.policy is None else overriding.policy)

    def fresh_until(self) -> float:
        """Return until when the policy may decide, on this agent's clock, unless it is refreshed or changes before."""
        if refresh() is not Refresh.BACKGROUND or overriding.policy is not None:
            return math.inf
        return self._refreshed_at + get_settings().policy_max_age_seconds

    def former(self) -> Former | None:
        """Return the policy that was replaced so recently that a replica may be older than what it showed.

        It kept some reads on the primary that go to a replica now. For an actor whose reads have just been let go, a
        replica must show all that the primary did until then.
        """
        former = self._former
        if former is None or self._clock() > former.settled_at + get_settings().greatest_lag_seconds:
            return None
        return former

    def start(self) -> None:
        """Start the thread unless it runs. Cheap, so that every unit can call it."""
        if self._thread is not None:
            return
        # Two first units must not start two threads.
        with self._lock:
            if self._thread is None:
                self._stopping = threading.Event()
                self._thread = threading.Thread(target=self._run, name="readshift-agent", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Have the thread write what is left in the meter, and end it. Does nothing when it does not run."""
        thread, connection = self._thread, self._connection
        if thread is None:
            return
        self._stopping.set()
        if connection is not None:
            connection.wake()
        thread.join(timeout=_STOP_SECONDS)
        self._thread = None

    def forget(self) -> None:
        """Read the policy anew before the next decision, in the inline mode."""
        self._policy = self._former = None
        footing.change()

    def reload(self) -> None:
        """Read the policy through this thread's connection. Raises what the database raises."""
        alias = control_alias()
        # A failure must not break a transaction that is open on this connection.
        with own_work(), transaction.atomic(using=alias):
            self._policy = load_policy(alias)
        footing.change()
        self._refreshed_at = self._reloaded_at = self._clock()

    def try_reload(self) -> bool:
        """Read the policy through this thread's connection, and say whether that worked. Failures are logged."""
        try:
            self.reload()
        except DatabaseError as error:
            logger.warning("The policy could not be read, so reads go to the primary. Was migrate run? %s", error)
            return False
        return True

    def flush(self) -> None:
        """Write the counts through this thread's connection. Counts that cannot be written are kept."""
        self._write_tallies()
        with own_work():
            arms.write(control_alias())
            endpoint_meter.write(control_alias())

    def _write_tallies(self) -> None:
        counts = self._meter.take()
        if not counts:
            return
        try:
            with own_work():
                Tally.objects.using(control_alias()).bulk_create(tallies(counts, timezone.now()), batch_size=1000)
        except Exception:
            self._meter.give_back(counts)
            raise

    def after_fork(self) -> None:
        """Let the child start a thread of its own. It keeps neither the policy nor the counts.

        The policy may change before the child's first unit, and nobody would wait for a process without a row.
        """
        self._lock = threading.Lock()
        self._thread = None
        self.forget()
        self._presence.after_fork()
        self._meter.take()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                with own_work(), closing(ControlConnection()) as connection:
                    try:
                        self._serve(connection)
                    finally:
                        self._connection = None
            except (DatabaseError, InterfaceError, OSError) as error:
                # Twice as long after each failure, and never the same for two processes: a primary that comes back must
                # not meet all of them at once.
                pause = min(_LONGEST_PAUSE_SECONDS, max(0.5, pause * 2)) * random.uniform(0.5, 1)  # noqa: S311
                logger.warning("Readshift could not use the primary, and tries again in %.1f s: %s", pause, error)
            except Exception:
                pause = _LONGEST_PAUSE_SECONDS
                logger.exception("Readshift's agent failed, and starts again in %.0f s.", pause)
            else:
                pause = 0.0

    def _serve(self, connection: ControlConnection) -> None:
        """Work until told to stop. Raises what the database raises."""
        connection.listen()
        self._connection = connection
        self._presence.announce(connection.alias)
        while not self._stopping.is_set():
            policy = self._refresh(connection.alias)
            pause = self._acknowledge(policy, connection.alias)
            settings = get_settings()
            if self._clock() - self._flushed_at >= settings.flush_seconds:
                self.flush()
                self._flushed_at = self._clock()
            self._watchman.look(connection.alias)
            pause = min(pause, settings.policy_poll_seconds, settings.flush_seconds)
            connection.wait_for_notification(pause * _share())
        self._presence.leave(connection.alias)
        self.flush()

    def _acknowledge(self, policy: Policy, alias: str) -> float:
        """Tell that this process acts on its policy, once nothing does on an earlier one. Return when to come again."""
        if departures.are_left(self._awaited):
            return max(_SHORTEST_PAUSE_SECONDS, self._clock() - self._reloaded_at)
        self._presence.tell(alias, policy.revision)
        return get_settings().heartbeat_seconds

    def _replace(self, policy: Policy) -> None:
        replaced, former = self._policy, self.former()
        if replaced is not None and replaced != policy:
            settled_at = self._clock() + min(get_settings().policy_poll_seconds, _LONGEST_SETTLING_SECONDS)
            # Of several changes in a row, the policy before the first is the one that kept most on the primary.
            self._former = Former(former.policy if former is not None else replaced, settled_at)
        self._policy = policy
        # Before the look at what is under way: a read that departs afterwards is decided by the new one.
        footing.change()
        self._awaited = departures.under_way()

    def _refresh(self, alias: str) -> Policy:
        now = self._clock()
        policy, revision = self._policy, read_revision(alias)
        is_new = policy is None or revision != policy.revision
        if policy is not None and policy.enabled and is_new and not is_kill_switch_on(alias):
            # It decides before any rule does. Reading thousands of those first would delay it in all processes at once.
            policy = replace(policy, revision=revision, enabled=False)
            self._replace(policy)
            self._reloaded_at = self._due_at = now
        elif policy is None or is_new or now >= self._due_at:
            before, policy = policy, load_policy(alias, revision)
            if before is None or policy.problems != before.problems:
                for problem in policy.problems:
                    logger.warning(problem)
            self._replace(policy)
            self._reloaded_at = now
            self._due_at = now + get_settings().policy_reload_seconds * _share()
        self._refreshed_at = now
        return policy


def _share() -> float:
    return random.uniform(_LEAST_SHARE, 1)  # noqa: S311 - it guards nothing


agent = Agent(meter)
"""The agent of this process."""


def _on_policy_changed(**_: object) -> None:
    if refresh() is Refresh.INLINE:
        agent.forget()


def connect() -> None:
    """Tie the agent to the process. Called once, when the apps are ready."""
    policy_changed.connect(_on_policy_changed, dispatch_uid="readshift.agent")
    os.register_at_fork(after_in_child=agent.after_fork)
    os.register_at_fork(after_in_child=departures.after_fork)
    atexit.register(agent.stop)
