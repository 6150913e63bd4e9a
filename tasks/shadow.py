"""The tasks that compare captured reads. Messages hold ids and nothing else, and are not believed."""

import logging
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from celery import shared_task

from rollout.models import DrainedReplica, ShadowRead
from rollout.outcomes import Outcome, ShadowCause
from rollout.settings import Refresh, get_settings, refresh
from routers.control import control_alias
from routers.courier import COMPARE
from routers.health import Fitness
from routers.own_work import own_work
from routers.prober import prober
from routers.replicas import replicas
from tasks.comparing.claims import ForgedBatchError, claim_batch, claim_lost, settle
from tasks.comparing.comparisons import compare_reads
from tasks.comparing.counterparts import bears_more, choose_replica
from tasks.comparing.repeats import answer, find_asked
from tasks.comparing.results import Result

COMPARE_ASKED = "readshift.compare_asked"
"""The name of the task that compares one read once more."""

logger = logging.getLogger("readshift")

_MOST_LOST = 200
_UNPROVEN = frozenset({Fitness.UNTRUSTED, Fitness.LAG_UNKNOWN})
_MOMENT_SECONDS = 0.02
_INTRODUCTION_SECONDS = 3.0
"""How long a worker that has just started waits for what its prober finds out."""


@shared_task(name=COMPARE, ignore_result=True)
def compare(batch: object = None, ids: object = None) -> int:
    """Compare the reads of a batch and return how many. A message that names others is logged, and runs nothing."""
    with own_work():
        try:
            reads = claim_batch(batch, ids)
        except ForgedBatchError as error:
            logger.warning("A message to compare reads was refused. %s", error)
            return 0
        return _compare(reads)


@shared_task(name="readshift.compare_lost", ignore_result=True)
def compare_lost() -> int:
    """Compare reads whose message or worker was lost, and return how many. Safe to run twice, and twice at once."""
    with own_work():
        return _compare(claim_lost(_MOST_LOST))


@shared_task(name=COMPARE_ASKED, ignore_result=True)
def compare_asked(pk: object = None) -> bool:
    """Compare once more a read that somebody asked about, keep the answer, and say whether there was one to compare."""
    with own_work():
        read = find_asked(pk)
        if read is None:
            logger.warning("A message to compare a read once more was refused: nobody has asked for it lately.")
            return False
        answer(read.pk, compare_again(read))
        return True


def compare_again(read: ShadowRead) -> Result:
    """Compare a read once more, of which the statement is still kept, and return how that ended. Nothing is stored."""
    with own_work():
        return next((result for _, result in _results([read])), Result(Outcome.ERROR, ShadowCause.ABANDONED))


def _compare(reads: Sequence[ShadowRead]) -> int:
    return sum(settle(read, result) for read, result in _results(reads))


def _results(reads: Iterable[ShadowRead]) -> Iterator[tuple[ShadowRead, Result]]:
    """Yield each read with its result. Those that have the same two servers are compared together."""
    for (cluster, replica), group in _pairs(reads).items():
        fitness = _fitness(replica) if replica else None
        if fitness is None or not bears_more(fitness):
            details = {"state": fitness.value} if fitness is not None else {}
            unfit = Result(Outcome.INCONCLUSIVE, ShadowCause.UNFIT_REPLICA, replica, details=details)
            yield from ((read, unfit) for read in group)
        else:
            yield from compare_reads(cluster, replica, group)


def _pairs(reads: Iterable[ShadowRead]) -> Mapping[tuple[str, str], Sequence[ShadowRead]]:
    """Return the reads by primary and replica; the replica is empty where there is none to compare with."""
    clusters = get_settings().clusters
    drained = set(DrainedReplica.objects.using(control_alias()).values_list("alias", flat=True))
    pairs: dict[tuple[str, str], list[ShadowRead]] = defaultdict(list)
    for read in reads:
        cluster = clusters.get(read.cluster)
        replica = choose_replica(cluster, read.pool, read.alias, drained, random.choice) if cluster else None
        pairs[read.cluster, replica or ""].append(read)
    return pairs


def _fitness(replica: str) -> Fitness:
    """Return what this worker knows of a replica. Where nobody probes, which is in tests, every replica will do."""
    if refresh() is not Refresh.BACKGROUND:
        return Fitness.FIT
    prober.start()
    deadline = time.monotonic() + _INTRODUCTION_SECONDS
    while (fitness := replicas.standing(replica).fitness) in _UNPROVEN and time.monotonic() < deadline:
        time.sleep(_MOMENT_SECONDS)
    return fitness
