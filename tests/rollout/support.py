"""Helpers of the tests of `rollout`: a subject that remembers what it was asked, a listener and a second thread."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from django.db import connection, connections
from waffle.models import Flag

from demo.waiting import wait_until
from rollout.models import GateKind, Mode, RolloutPlan, RoutingRule
from rollout.models.revision import CHANNEL
from tests.support import route

Answer = TypeVar("Answer")

TIMEOUT_SECONDS = 20


def create_flag(name: str, **values: Any) -> Flag:
    """Create a flag that is closed unless the values open it: waffle itself opens new flags for superusers."""
    flag = Flag(name=name, **{"superusers": False, **values})
    flag.save()
    return flag


def draft_plan(target: str = "names", flag: str = "checkout", stages: tuple[int, ...] = (5, 50, 100)) -> RolloutPlan:
    """Create a plan that has not started, with a rule that observes and a closed flag unless they are there already."""
    if not Flag.objects.filter(name=flag).exists():
        create_flag(flag, everyone=False)
    rule = RoutingRule.objects.filter(target=target).first()
    rule = rule or route(target, mode=Mode.OBSERVE, gate=(GateKind.FLAG, flag))
    return RolloutPlan.objects.create(
        rule=rule,
        stages=[{"percent": percent, "minimum_seconds": 60, "minimum_sample": 100} for percent in stages],
        guardrails=[{"metric": "error_rate"}],
    )


@dataclass
class Person:
    """A user as gates see one."""

    pk: int | None = 1
    is_authenticated: bool = True
    is_staff: bool = False
    is_superuser: bool = False


@dataclass
class FakeSubject:
    """A subject with fixed answers. `asked` lists the properties that were looked at, in order."""

    actor_is: str | None = None
    dice_is: int = 0
    language_is: str | None = None
    user_is: Any = None
    group_ids_are: frozenset[Any] = frozenset()
    asked: list[str] = field(default_factory=list)

    @property
    def actor(self) -> str | None:
        self.asked.append("actor")
        return self.actor_is

    @property
    def dice(self) -> int:
        self.asked.append("dice")
        return self.dice_is

    @property
    def language(self) -> str | None:
        self.asked.append("language")
        return self.language_is

    @property
    def user(self) -> Any:
        self.asked.append("user")
        return self.user_is

    @property
    def group_ids(self) -> frozenset[Any]:
        self.asked.append("group_ids")
        return self.group_ids_are


@dataclass
class Listener:
    """A client that listens to the policy channel."""

    client: psycopg.Connection[Any]

    def heard(self) -> list[str]:
        """Return the payloads announced so far. It announces a mark of its own and stops when that arrives."""
        mark = "mark"
        self.client.execute("SELECT pg_notify(%s, %s)", [CHANNEL, mark])
        payloads = []
        for notification in self.client.notifies(timeout=TIMEOUT_SECONDS):
            if notification.payload == mark:
                break
            payloads.append(notification.payload)
        else:
            raise AssertionError("The mark did not arrive.")
        return payloads


@dataclass
class Worker:
    """Runs a function in a second thread, with that thread's own connections."""

    pool: ThreadPoolExecutor

    def start(self, function: Callable[[], Answer]) -> Future[Answer]:
        def run() -> Answer:
            try:
                return function()
            finally:
                connections.close_all()

        return self.pool.submit(run)


def wait_for_lock() -> None:
    """Return once another session waits for a lock. Unlike pg_stat_activity, pg_locks is live within a transaction."""

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])

    wait_until(somebody_waits, TIMEOUT_SECONDS, "a session to wait for a lock")
