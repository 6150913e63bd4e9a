"""The reverse guard: inside `expect_replica`, reports reads that the primary serves and a replica was to serve."""

import logging
from dataclasses import dataclass, replace
from functools import lru_cache

from rollout.options import Cluster
from rollout.reasons import Reason
from routers.agent import agent
from routers.callers import Caller, find_caller
from routers.current import current_block, current_unit
from routers.decisions import Asked
from routers.ladder import Situation, unhindered
from routers.statements import is_of_session
from routers.unit import Block, Unit, Watch

logger = logging.getLogger("readshift")

_MOST_PLACES = 1_000
"""How many complaints a process remembers, so that it logs each of them once."""

_ADVICE = {
    Reason.IN_TRANSACTION: "Read before the transaction begins.",
    Reason.HAS_WRITTEN: "Read before the first write.",
    Reason.UNSAFE_METHOD: "If this method only reads here, put the read into use_replica().",
    Reason.DIRECT: "Take the connection that the router names: connections[router.db_for_read(Model)].",
}
_OTHER_ADVICE = (
    "This depends on how the replicas stand, which the log says; to let it pass, expect_replica() with “log”."
)


class PrimaryReadError(RuntimeError):
    """A read would have gone to the primary where code expects a replica. Nothing reached the server.

    It is no `DatabaseError`: no database failed, and code that retries or falls back when one does must not hide a
    mistake in the code. It is no `AssertionError` either, since it may be raised in a running service.
    """

    def __init__(self, complaint: "Complaint") -> None:
        self.model = complaint.model
        self.endpoint = complaint.endpoint
        self.reason = complaint.reason
        super().__init__(complaint)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a read. model: empty for a cursor of the code's own. place: empty when no code is to blame."""

    primary: str
    model: str
    endpoint: str
    reason: Reason
    place: str

    def __str__(self) -> str:
        what = f"A read of {self.model}" if self.model else "A read through a cursor"
        where = f", sent from {self.place}," if self.place else ""
        return (
            f"{what} at the endpoint {self.endpoint!r}{where} goes to the primary {self.primary!r}, but a replica is "
            f"expected to serve it: {self.reason.value} ({self.reason.label}). "
            f"{_ADVICE.get(self.reason, _OTHER_ADVICE)} If the primary is meant, put the read into use_primary()."
        )


def before_read(cluster: Cluster, asked: Asked | None, sql: object) -> None:
    """Report a read that is about to be sent to this primary, if the code around it expects a replica.

    asked: the router's answer that sends it there, or None when nobody asked. Raises `PrimaryReadError` in a block that
    wants it.
    """
    block, unit = current_block(), current_unit()
    if block is None or block.watch is None or unit is None or unit.is_deciding:
        return
    if (caller := _caller(asked, sql)) is None or not _is_expected(cluster, unit, block, asked):
        return
    reason = asked.decision.reason if asked is not None else Reason.DIRECT
    model = asked.model._meta.label if asked is not None else ""
    complaint = Complaint(cluster.primary, model, unit.endpoint, reason, caller.place)
    if block.watch is Watch.RAISE:
        raise PrimaryReadError(complaint)
    _log_once(complaint)


def _caller(asked: Asked | None, sql: object) -> Caller | None:
    """Return which code is to answer for this read, or None when nothing can be wrong with it."""
    if asked is not None:
        # Without a question of its own, a later read of the same table was sent here by name.
        return find_caller() if asked.decision.is_displaced and asked.statements == 1 else None
    if is_of_session(sql):
        return None
    caller = find_caller()
    return None if caller.is_django else caller


def _is_expected(cluster: Cluster, unit: Unit, block: Block, asked: Asked | None) -> bool:
    """Say whether a replica would serve this read if nothing but rules and blocks had a say."""
    policy, obstacle = agent.state()
    if policy is None or obstacle is not None:
        return False
    situation = Situation(
        cluster=cluster,
        endpoint=unit.endpoint,
        model=asked.model._meta.label if asked is not None else "",
        # What is denied is not displaced.
        is_denied=False,
        is_safe=True,
        in_transaction=False,
        has_written=False,
        # A cursor asks for nothing. Only the endpoint's rule can say where it belongs.
        block=block if asked is not None else replace(block, pool=None),
        obstacle=None,
        affinity=unit.affinity,
        kept={},
        opens=unit.opens,
        is_gone=lambda _: False,
        objection=lambda *_: None,
    )
    try:
        return unhindered(policy, situation).reason.chooses_replica
    except Exception:
        logger.exception("Whether a replica should serve a read of %r is not known.", unit.endpoint)
        return False


@lru_cache(maxsize=_MOST_PLACES)
def _log_once(complaint: Complaint) -> None:
    logger.warning("%s", complaint)
