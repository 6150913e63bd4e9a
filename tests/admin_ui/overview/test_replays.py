"""Reads that were asked again: shown by server and cause, and counted nowhere else."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rollout.models import TallyKind
from rollout.reasons import Cause, Reason
from tests.admin_ui.support import DASHBOARD, LIVE, count_reads, read_reads, text

pytestmark = pytest.mark.django_db


def replay(count: int, cause: str = Cause.REFUSED, alias: str = "replica1", answered_by: str = "default") -> None:
    count_reads(count, kind=TallyKind.REPLAY, alias=alias, reason=cause, candidate=answered_by)


def rows(client: Client, address: str = DASHBOARD) -> list[str]:
    """Return the rows of the table, each as its words."""
    table = text(client.get(address)).partition('id="rs-replays-table"')[2].partition("</table>")[0]
    found = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in found][1:]


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_they_are_summed_by_server_cause_and_who_answered(viewer: Client, address: str) -> None:
    replay(3)
    replay(1200)
    replay(2, answered_by="replica2")
    replay(7, Cause.CONFLICT)
    replay(1, Cause.CUT, alias="replica2")
    count_reads(50, alias="replica1", reason=Reason.ROUTED)
    assert rows(viewer, address) == [
        f"replica1 {Cause.REFUSED.label} default 1 203",
        f"replica1 {Cause.CONFLICT.label} default 7",
        f"replica1 {Cause.REFUSED.label} replica2 2",
        f"replica2 {Cause.CUT.label} default 1",
    ]


@pytest.mark.parametrize("cause", Cause.values)
def test_every_cause_is_shown_in_words(viewer: Client, cause: str) -> None:
    replay(1, cause)
    assert rows(viewer) == [f"replica1 {Cause(cause).label} default 1"]


def test_the_causes_are_those_that_are_counted() -> None:
    assert Cause.values == ["refused", "lost", "cut", "conflict", "ended", "pool"]


def test_a_cause_that_this_version_does_not_know_is_shown_as_it_is(viewer: Client) -> None:
    replay(1, "meteor")
    assert rows(viewer) == ["replica1 meteor default 1"]


def test_only_those_in_the_window_count(viewer: Client) -> None:
    old = timezone.now() - timedelta(minutes=30)
    count_reads(4, kind=TallyKind.REPLAY, alias="replica1", reason=Cause.LOST, candidate="default", starts_at=old)
    assert rows(viewer) == []
    assert "No read had to be asked again in the last 15 minutes." in text(viewer.get(DASHBOARD))
    assert len(rows(viewer, f"{DASHBOARD}?minutes=60")) == 1


def test_no_other_figure_counts_them() -> None:
    count_reads(10, reason=Reason.GATE_OFF)
    count_reads(30, alias="replica1", reason=Reason.ROUTED)
    before = read_reads()
    replay(1000)
    replay(1000, alias="default", answered_by="replica1")
    assert replace(read_reads(), replays=(), window=before.window, chart=before.chart) == replace(before, replays=())
