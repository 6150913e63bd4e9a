"""Looks at shadow reads, as code takes them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rollout.acting import Acting, acting
from rollout.looks import SUBJECT_KIND, lock_look, lock_unseen, look_at, taken_together, undo, unseen
from rollout.models import Door, Event, ShadowRead, ShadowState
from rollout.outcomes import Outcome, ShadowCause
from tests.rollout.interleaving import sessions
from tests.support import Servers
from tests.tasks.reporting.reported import store

ADA = Acting(Door.COMMAND, lambda: "ada", "known")


def diverged(count: int = 1, **changes: Any) -> list[ShadowRead]:
    return store(count, **({"outcome": Outcome.DIVERGENT, "cause": ShadowCause.ORDER} | changes))


@pytest.mark.django_db
def test_a_look_is_put_down_to_whoever_acts() -> None:
    reads, moment = diverged(2), timezone.now()
    with transaction.atomic(), acting(ADA):
        look_at(lock_unseen(ShadowRead.objects.all()), "two of them", moment, "default")
    for read in ShadowRead.objects.all():
        assert (read.looked_at, read.looked_by, read.look_note) == (moment, "ada", "known")
    event = Event.objects.get()
    assert (event.subject, event.who, event.why) == ("two of them", "ada", "known")
    assert event.after == {"looked_at": moment.isoformat(), "reads": 2, "first": reads[0].pk, "last": reads[1].pk}


@pytest.mark.django_db
def test_what_needs_a_look_is_compared_and_not_equal() -> None:
    wanted = [read for outcome in ("divergent", "inconclusive", "error") for read in diverged(outcome=outcome)]
    store(1)
    store(1, outcome=Outcome.CAUGHT_UP)
    store(1, state=ShadowState.WAITING)
    diverged(looked_at=timezone.now())
    assert set(unseen(ShadowRead.objects.all())) == set(wanted)


@pytest.mark.django_db
def test_taking_it_back_concerns_one_look_and_no_other() -> None:
    moment = timezone.now()
    for by, count in (("ada", 2), ("eva", 1)):
        diverged(count, looked_at=moment, looked_by=by)
    (later,) = diverged(looked_at=moment + timedelta(seconds=1), looked_by="ada")
    first = ShadowRead.objects.filter(looked_by="ada").earliest("pk")
    assert taken_together(first, "default").count() == 2
    with transaction.atomic():
        undo(lock_look(first.pk, "default"), "it", "default")
    assert set(ShadowRead.objects.filter(looked_at__isnull=False).values_list("looked_by", flat=True)) == {"ada", "eva"}
    assert ShadowRead.objects.filter(looked_by="ada").get() == later
    with transaction.atomic(), pytest.raises(ValidationError, match="is not marked"):
        lock_look(first.pk, "default")


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_marks(servers: Servers) -> None:
    diverged()

    def mark() -> int:
        with transaction.atomic(), acting(ADA):
            if reads := lock_unseen(ShadowRead.objects.all()):
                look_at(reads, "it", timezone.now(), "default")
            return len(reads)

    with sessions() as both:
        # The first has locked what it is about to mark.
        assert both.interleave(mark, mark, statement=1) == (1, 0)
    assert Event.objects.filter(subject_kind=SUBJECT_KIND).count() == 1
