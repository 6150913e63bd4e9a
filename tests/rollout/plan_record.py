"""Reads the events of plans, their rules and their flag from the first on, and says where they contradict a promise."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from waffle.models import Flag

from rollout.models import Event, EventKind, RolloutPlan, RoutingRule
from rollout.plan_states import LIVE, TRANSITIONS, State

HUMAN = "human"
"""The one who acts in events of whoever changes the flag or a rule by hand."""


@dataclass
class Record:
    """What the events so far add up to, by what they are about."""

    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    flag: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> Decimal:
        """The percentage of actors that the flag lets through."""
        if self.flag.get("everyone") is not None:
            return Decimal(100 if self.flag["everyone"] else 0)
        return Decimal(self.flag.get("percent") or 0)

    def read(self, events: list[Event]) -> None:
        """Take in the events, those of one transaction together: each is told apart by its reason."""
        for _, together in groupby(events, key=lambda event: (event.who, event.why)):
            self._take(list(together))

    def _take(self, events: list[Event]) -> None:
        subjects = [(event.subject_kind, event.subject) for event in events]
        assert len(subjects) == len(set(subjects)), f"more than one event of a change: {events}"
        share = self.share
        for event in events:
            self._apply(event)
        changes = [event for event in events if event.subject_kind == "plan" and event.kind == EventKind.CHANGED]
        assert len(changes) <= 1
        if changes:
            self._check(changes[0], share)
        elif events[0].who != HUMAN:
            assert self.share <= share, f"the share has risen without a plan: {events}"
        live = [plan for plan in self.plans.values() if plan["state"] in LIVE]
        assert len(live) <= 1, f"two plans move one flag: {live}"

    def _apply(self, event: Event) -> None:
        match event.subject_kind:
            case "plan":
                self.plans[event.subject] = {**self.plans.get(event.subject, {}), **event.after}
                self.changes[event.subject] = self.changes.get(event.subject, -1) + 1
            case "rule":
                self.rules[event.subject] = event.after.get("mode", self.rules.get(event.subject))
            case "flag":
                assert all(self.flag.get(key) == value for key, value in event.before.items()), (
                    f"missed: {event.before}"
                )
                self.flag |= event.after

    def _check(self, event: Event, before: Decimal) -> None:
        """Check that the plan did what it may, and that its flag and rule agree with what it says of itself."""
        was, plan = event.before, self.plans[event.subject]
        old = State(was.get("state", plan["state"]))
        new = State(plan["state"])
        assert new in {goal for (state, _), goal in TRANSITIONS.items() if state is old}, f"{old} to {new}"
        if old is State.DRAFT or "stage" in was:
            assert plan["stage"] == was.get("stage", -1) + 1
            expected = Decimal(plan["stages"][was["stage"]]["percent"]) if "stage" in was else before
            assert before == expected, f"the plan has overridden somebody: from {before} %, {event.after}"
        else:
            assert self.share <= before, f"the share has risen: {event}, {event.before} -> {event.after}"
        if new is State.RUNNING:
            assert self.share == Decimal(plan["stages"][plan["stage"]]["percent"])
            assert self.rules[event.subject.split(" of ")[1]] == "route"
        if new is State.ROLLED_BACK:
            assert self.share == 0


def check_agreement(record: Record) -> None:
    """Raise AssertionError unless the rows are what their events add up to."""
    rows = {f"{plan.pk} of {plan.rule}": plan for plan in RolloutPlan.objects.select_related("rule")}
    assert rows.keys() == record.plans.keys()
    for subject, plan in rows.items():
        told = record.plans[subject]
        assert (plan.state, plan.stage, plan.reason) == (told["state"], told["stage"], told["reason"])
        assert plan.version == record.changes[subject], "a change without an event, or an event without a change"
    assert {str(rule): rule.mode for rule in RoutingRule.objects.all()} == record.rules
    flag: Any = Flag.objects.get()
    percent = record.flag["percent"]
    assert (flag.everyone, flag.percent) == (record.flag["everyone"], percent if percent is None else Decimal(percent))


def events_after(pk: int) -> Iterator[Event]:
    """Yield what has happened since the event with this key, the oldest first."""
    return Event.objects.filter(pk__gt=pk).order_by("pk").iterator()
