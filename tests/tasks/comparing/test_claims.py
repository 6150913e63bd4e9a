"""Reads are claimed once, reported once, and only by messages that name them rightly."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome, ShadowCause
from routers.captured import CapturedStatement
from tasks.comparing.claims import LOST_AFTER, MOST_TRIES, ForgedBatchError, claim_batch, claim_lost, settle
from tasks.comparing.results import Result
from tests.support import Servers
from tests.tasks.stored import back_date, store

STATEMENTS = [CapturedStatement(b"SELECT %d" % number) for number in range(3)]
EQUAL = Result(Outcome.EQUAL)


Message = tuple[str, list[int]]


def message(reads: list[ShadowRead]) -> Message:
    return str(reads[0].batch), [read.pk for read in reads]


def test_a_message_claims_its_reads_once(servers: Servers) -> None:
    batch = message(store(*STATEMENTS))
    assert len(claim_batch(*batch)) == 3
    assert claim_batch(*batch) == []


FORGERIES: dict[str, Callable[[Message, Message], tuple[object, object]]] = {
    "no such read": lambda own, _: (own[0], [10**12]),
    "one more": lambda own, _: (own[0], [*own[1], 10**12]),
    "reads of another batch": lambda own, other: (own[0], other[1]),
    "no such batch": lambda own, _: (str(uuid.uuid4()), own[1]),
    "junk for a batch": lambda own, _: ("not a batch", own[1]),
    "a map for a batch": lambda own, _: ({"batch": own[0]}, own[1]),
    "nothing": lambda *_: (None, None),
    "text for reads": lambda own, _: (own[0], "all"),
    "mixed reads": lambda own, _: (own[0], [True, "1", None]),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_message_claims_nothing(servers: Servers, forge) -> None:
    own, other = message(store(*STATEMENTS)), message(store(*STATEMENTS))
    with pytest.raises(ForgedBatchError):
        claim_batch(*forge(own, other))
    assert set(ShadowRead.objects.values_list("state", flat=True)) == {ShadowState.WAITING}


def test_workers_that_claim_at_once_share_the_reads_out(servers: Servers) -> None:
    batch = message(store(*STATEMENTS * 10))

    def claim(_: int) -> list[int]:
        try:
            return [read.pk for read in claim_batch(*batch)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claimed = [pk for mine in pool.map(claim, range(4)) for pk in mine]
    assert len(claimed) == len(set(claimed))
    assert {*claimed, *(read.pk for read in claim_batch(*batch))} == set(batch[1])


def test_a_read_is_reported_once(servers: Servers) -> None:
    (first,) = claim_batch(*message(store()))
    back_date([first], timezone.now() - 2 * LOST_AFTER, "claimed_at")
    (second,) = claim_lost(10)
    assert not settle(first, EQUAL)
    assert settle(second, Result(Outcome.DIVERGENT, ShadowCause.MISSING_ROW))
    assert not settle(second, EQUAL)
    assert ShadowRead.objects.get().outcome == Outcome.DIVERGENT


def test_what_was_captured_is_kept_only_where_it_may_be_run_again(servers: Servers) -> None:
    equal, divergent = claim_batch(*message(store(*STATEMENTS[:2])))
    settle(equal, EQUAL)
    settle(divergent, Result(Outcome.DIVERGENT, ShadowCause.EXTRA_ROW))
    assert ShadowRead.objects.get(pk=equal.pk).sealed is None
    assert ShadowRead.objects.get(pk=divergent.pk).sealed is not None


def test_a_lost_message_and_a_lost_worker_are_made_up_for_and_fresh_ones_left_alone(servers: Servers) -> None:
    lost, _ = store(), store()
    back_date(lost, timezone.now() - 2 * LOST_AFTER, "captured_at")
    stuck, _ = claim_batch(*message(store(*STATEMENTS[:2])))
    back_date([stuck], timezone.now() - 2 * LOST_AFTER, "claimed_at")
    assert {read.pk for read in claim_lost(10)} == {lost[0].pk, stuck.pk}


def test_a_read_that_no_worker_finishes_is_given_up(servers: Servers) -> None:
    reads = store()
    claim_batch(*message(reads))
    for _ in range(MOST_TRIES):
        back_date(reads, timezone.now() - LOST_AFTER - timedelta(seconds=1), "claimed_at")
        claim_lost(10)
    read = ShadowRead.objects.get()
    assert (read.state, read.outcome, read.cause) == (ShadowState.DONE, Outcome.ERROR, ShadowCause.ABANDONED)
    assert read.sealed is None
