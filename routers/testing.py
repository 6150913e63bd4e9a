"""For the tests of projects that use Readshift: switch routing on for a test, and say where reads must go.

Under a test runner nothing is routed, unless a test asks for it here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.test.utils import TestContextDecorator, override_settings

from rollout.contracts import parse_contract
from rollout.models.rule import Mode, TargetKind
from rollout.options import DEFAULT_POOL
from rollout.policy import Rule, compile_policy
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers.endpoints import known_endpoints
from routers.footing import footing
from routers.overriding import Read, overriding
from routers.trail import forget_outside

PRIMARY = "primary"
REPLICA = "replica"


class override_routing(TestContextDecorator):  # noqa: N801 - like Django's override_settings
    """Route these endpoints and models for everybody, as a context manager or on a test, sync or async, or a TestCase.

    The database's rules and gates, the kill switch among them, are not asked. An inner block replaces an outer one.
    In a TestCase, whose rows only the primary's connection sees, reads are decided as in production and run there. In a
    TransactionTestCase they go through the alias of the replica, which may be a mirror (`"TEST": {"MIRROR": ...}`).

    Raises ValueError for a name that is neither a model's label nor an endpoint, and for an unknown mode, contract or
    pool.
    """

    def __init__(self, *targets: str, mode: str = "route", contract: str = "session", pool: str = DEFAULT_POOL) -> None:
        super().__init__()
        if mode not in Mode.values:
            raise ValueError(f"mode is {mode!r}. Write one of {', '.join(Mode.values)}.")
        self._targets, self._mode, self._contract, self._pool = targets, mode, parse_contract(contract), pool

    def enable(self) -> None:
        """Switch it on. Called by the context manager and the decorator."""
        policy = compile_policy(0, True, [self._rule(target) for target in self._targets])
        options = {**django_settings.READSHIFT, "ENABLED": True, "POLICY_REFRESH": "inline"}
        self._settings = override_settings(READSHIFT=options)
        self._settings.enable()
        # What the test has written so far to set the scene, the code under test did not write.
        forget_outside()
        self._outer, overriding.policy = overriding.policy, policy
        footing.change()

    def disable(self) -> None:
        """Switch it off again."""
        overriding.policy = self._outer
        self._settings.disable()
        footing.change()

    def _rule(self, target: str) -> Rule:
        pools = {replica.pool for replica in get_settings().replicas.values()}
        if self._pool not in pools:
            raise ValueError(f"pool is {self._pool!r}. The pools are {', '.join(sorted(pools)) or 'none'}.")
        return Rule(_kind_of(target), target, self._mode, pool=self._pool, contract=self._contract)


def _kind_of(target: str) -> str:
    if target in {model._meta.label for model in apps.get_models()}:
        return TargetKind.MODEL
    if target in known_endpoints():
        return TargetKind.ENDPOINT
    raise ValueError(
        f"{target!r} is neither a model's label, such as shop.Product, nor an endpoint of this project, such as a "
        f"view's name, a task's or a command's. A name given by hand belongs into READSHIFT[\"ENDPOINTS\"]."
    )


@contextmanager
def record_reads() -> Iterator[list[Read]]:
    """Give a list that takes every answer of the router in the block, in all threads of this process."""
    reads: list[Read] = []
    overriding.recorders.append(reads)
    footing.change()
    try:
        yield reads
    finally:
        # By identity: lists that hold equal reads are equal.
        overriding.recorders[:] = [recorder for recorder in overriding.recorders if recorder is not reads]


@contextmanager
def assert_reads_from(where: str, *, model: str | None = None, endpoint: str | None = None) -> Iterator[list[Read]]:
    """Fail unless the block reads, and all that it reads comes from there.

    where: "primary", "replica", or an alias. model, endpoint: look at reads of this label, or at this endpoint, only.
    Without a model, those that never leave the primary are left out, such as sessions and users. Raises AssertionError,
    which lists all reads of the block, and ValueError for an unknown place.
    """
    settings = get_settings()
    places = {PRIMARY: set(settings.clusters), REPLICA: set(settings.replicas)}
    aliases = places.get(where) or ({where} if settings.cluster_of_alias(where) else None)
    if aliases is None:
        raise ValueError(f"where is {where!r}. Write {PRIMARY!r}, {REPLICA!r} or an alias of a cluster.")
    with record_reads() as reads:
        yield reads
    looked_at = [
        read
        for read in reads
        if (read.reason is not Reason.DENIED if model is None else read.model == model)
        and endpoint in {None, read.endpoint}
    ]
    astray = [read for read in looked_at if read.alias not in aliases]
    if looked_at and not astray:
        return
    what = f"{len(astray)} of {len(looked_at)} reads went elsewhere" if astray else "there was no such read"
    narrowed = "".join(f", {name} {value}" for name, value in (("model", model), ("endpoint", endpoint)) if value)
    listed: Any = "\n  ".join(map(str, reads)) or "none"
    raise AssertionError(f"Expected reads from {where}{narrowed}, but {what}. All reads of the block:\n  {listed}")
