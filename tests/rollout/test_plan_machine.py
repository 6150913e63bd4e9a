"""Operators, schedulers, waffle's admin and crashes in any order leave plan, flag, rule and events in agreement."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from waffle.models import Flag

from rollout import plans
from rollout.acting import Acting, acting
from rollout.foreign import notice_foreign_change
from rollout.loading import load_gate, read_revision
from rollout.models import Door, Event, GateKind, Mode, RolloutPlan, RoutingRule
from rollout.plan_states import TRANSITIONS, Action, State
from rollout.plans import Result
from rollout.stepping import PlanFacts, next_step
from rollout.verdicts import Decision, Finding
from tests.rollout.interleaving import CrashError, Sessions, sessions
from tests.rollout.plan_record import HUMAN, Record, check_agreement, events_after
from tests.rollout.support import create_flag, draft_plan
from tests.support import route

pytestmark = pytest.mark.django_db(transaction=True)

Deed = Callable[[], Result | None]
"""Something that one session does. It returns None if it was refused, or is not an action of a plan."""

TARGETS = ("names", "prices", "names")
"""The rule of each plan."""
LIVE_ONE = -1
WHICH = st.sampled_from([LIVE_ONE, LIVE_ONE, LIVE_ONE, 0, 1, 2])
"""Which plan it is about: most often the one that is under way, if there is one."""
ACTIONS = st.integers(0, 9)
"""Which action: most often one that is possible, see `Plans.chosen`."""
ANY_ACTION = 8
FINDINGS = st.sampled_from([Finding.PASS, Finding.PASS, Finding.PASS, Finding.HOLD, Finding.FAIL])
STALENESS = st.sampled_from([None, 0, 0, 1])
"""How many versions ago an operator has seen the plan; None for one who does not say."""
STATEMENTS = st.integers(0, 22)
AS_EXPECTED = "as expected"
SHARES = st.sampled_from([AS_EXPECTED, AS_EXPECTED, AS_EXPECTED, "0", "20", "80", "everyone", "nobody"])
"""What somebody sets the flag to by hand, not seldom what the plan has set it to."""


class Plans(RuleBasedStateMachine):
    """Three plans of two rules that go by one flag."""

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.sessions: Sessions = self.resources.enter_context(sessions())
        self.numbers = count(1)
        self.record = Record()

    @initialize()
    def set_up(self) -> None:
        """Begin with closed doors."""
        last = Event.objects.order_by("-pk").first()
        self.last = last.pk if last else 0
        route(TARGETS[0], mode=Mode.OBSERVE, gate=(GateKind.FLAG, "checkout"))
        create_flag("checkout", everyone=False)
        self.pks = [draft(target).pk for target in TARGETS]
        self.by_operator(self.plan(0), Action.START)()

    def teardown(self) -> None:
        """Leave nothing but events, which stay."""
        self.resources.close()
        RoutingRule.objects.all().delete()
        Flag.objects.all().delete()

    def plan(self, which: int) -> RolloutPlan:
        """Return the plan that is meant, or a new draft in place of one that has ended for good."""
        rows = [RolloutPlan.objects.select_related("rule").get(pk=pk) for pk in self.pks]
        if which == LIVE_ONE:
            which = next((number for number, row in enumerate(rows) if row.is_live), 0)
        if rows[which].state == State.ROLLED_BACK:
            rows[which] = draft(TARGETS[which])
            self.pks[which] = rows[which].pk
        return rows[which]

    @staticmethod
    def chosen(plan: RolloutPlan, number: int) -> Action:
        """Return the action that is meant."""
        possible = [action for action in Action if (plan.state, action) in TRANSITIONS]
        actions = possible if number < ANY_ACTION and possible else list(Action)
        return actions[number % len(actions)]

    def by_operator(self, plan: RolloutPlan, action: Action, staleness: int | None = None) -> Deed:
        """Return what an operator does, who has looked at the plan a while ago."""
        number, more = next(self.numbers), {}
        if action is not Action.ROLL_BACK and staleness is not None:
            more["version"] = max(0, plan.version - staleness)

        def deed() -> Result | None:
            with acting(Acting(Door.COMMAND, lambda: "operator", f"deed {number}")):
                return unless_refused(lambda: getattr(plans, action.value)(plan.pk, **more))

        return deed

    def by_hand(self, share: str) -> Deed:
        """Return what somebody does on waffle's page, in whose transaction the flag is read and saved."""
        number = next(self.numbers)
        plan = self.plan(LIVE_ONE)
        expected = Decimal(plan.expected_percent if share == AS_EXPECTED else 100 if share == "everyone" else 0)

        def deed() -> None:
            with acting(Acting(Door.REQUEST, lambda: HUMAN, f"deed {number}")), transaction.atomic():
                flag: Any = Flag.objects.get()
                is_number = share.isdecimal() or (share == AS_EXPECTED and 0 < expected < 100)
                flag.everyone = None if is_number else expected == 100
                flag.percent = Decimal(share) if share.isdecimal() else expected if is_number else None
                flag.save()

        return deed

    def by_scheduler(self, plan: RolloutPlan, finding: Finding) -> Deed:
        """Return what a scheduler does that has judged the plan just now."""
        gate = load_gate(GateKind.FLAG, "checkout", "default")
        facts = PlanFacts(
            state=State(plan.state),
            stage=plan.stage,
            stages=plan.parsed_stages,
            stage_began_at=plan.stage_began_at,
            foreign=notice_foreign_change(plan, gate) if plan.is_live else None,
            decision=Decision(finding, (finding.value,)),
            sample=100,
        )
        step = replace(next_step(facts, timezone.now() + timedelta(hours=1)), reason=f"deed {next(self.numbers)}")
        return lambda: unless_refused(lambda: plans.carry_out(plan.pk, step, version=plan.version))

    @rule(which=WHICH, number=ACTIONS, staleness=STALENESS)
    def operate(self, which: int, number: int, staleness: int | None) -> None:
        """One operator, alone."""
        plan = self.plan(which)
        before = Event.objects.count()
        result = self.by_operator(plan, self.chosen(plan, number), staleness)()
        assert (Event.objects.count() != before) is (result is not None and result.changed)

    @rule(share=SHARES)
    def change_by_hand(self, share: str) -> None:
        """Somebody on waffle's page."""
        self.by_hand(share)()

    @rule(mode=st.sampled_from([Mode.ROUTE, Mode.ROUTE, Mode.OBSERVE]))
    def change_rule_by_hand(self, mode: Mode) -> None:
        """Somebody on the page of the rule."""
        with acting(Acting(Door.REQUEST, lambda: HUMAN, f"deed {next(self.numbers)}")):
            found = self.plan(LIVE_ONE).rule
            found.mode = mode
            found.save()

    @rule(which=WHICH, finding=FINDINGS)
    def step(self, which: int, finding: Finding) -> None:
        """One scheduler, alone."""
        self.by_scheduler(self.plan(which), finding)()

    @rule(which=WHICH, finding=FINDINGS, statement=STATEMENTS)
    def step_twice(self, which: int, finding: Finding, statement: int) -> None:
        """Two schedulers that have seen the same."""
        plan = self.plan(which)
        deeds = self.by_scheduler(plan, finding), self.by_scheduler(plan, finding)
        results = self.sessions.interleave(*deeds, statement)
        assert sum(result is not None and result.changed for result in results) <= 1

    @rule(one=WHICH, other=WHICH, numbers=st.tuples(ACTIONS, ACTIONS), staleness=STALENESS, statement=STATEMENTS)
    def operate_at_once(
        self, one: int, other: int, numbers: tuple[int, int], staleness: int | None, statement: int
    ) -> None:
        """Two operators, at the same plan or at two of them."""
        first, second = self.plan(one), self.plan(other)
        self.sessions.interleave(
            self.by_operator(first, self.chosen(first, numbers[0]), staleness),
            self.by_operator(second, self.chosen(second, numbers[1])),
            statement,
        )

    @rule(which=WHICH, finding=FINDINGS, share=SHARES, statement=STATEMENTS, is_hand_first=st.booleans())
    def step_while_somebody_changes_the_flag(
        self, which: int, finding: Finding, share: str, statement: int, is_hand_first: bool
    ) -> None:
        """A scheduler, and somebody on waffle's page."""
        deeds = [self.by_scheduler(self.plan(which), finding), self.by_hand(share)]
        first, second = reversed(deeds) if is_hand_first else deeds
        self.sessions.interleave(first, second, statement % 9 if is_hand_first else statement)

    @rule(which=WHICH, number=ACTIONS, statement=STATEMENTS)
    def crash_of_operator(self, which: int, number: int, statement: int) -> None:
        """An operator's process that dies before the statement."""
        plan = self.plan(which)
        self.crash(self.by_operator(plan, self.chosen(plan, number)), statement)

    @rule(which=WHICH, finding=FINDINGS, statement=STATEMENTS)
    def crash_of_scheduler(self, which: int, finding: Finding, statement: int) -> None:
        """A scheduler that dies before the statement."""
        self.crash(self.by_scheduler(self.plan(which), finding), statement)

    def crash(self, deed: Deed, statement: int) -> None:
        """Check that nothing was done if it was not done to the end, and that it can be done again."""
        before = everything()
        try:
            self.sessions.crash(deed, statement)
        except CrashError:
            assert everything() == before
            deed()

    @invariant()
    def everything_agrees(self) -> None:
        """Read on in the events, which are checked one by one, and compare them with the rows."""
        events = list(events_after(self.last))
        if events:
            self.last = events[-1].pk
        self.record.read(events)
        check_agreement(self.record)


def draft(target: str) -> RolloutPlan:
    """Create a plan that goes to everybody in three stages. Somebody does it by hand."""
    with acting(Acting(Door.REQUEST, lambda: HUMAN, f"draft {target}")):
        return draft_plan(target, stages=(5, 50, 100))


def unless_refused(operate: Callable[[], Result]) -> Result | None:
    """Return None for what the plan's state does not allow."""
    try:
        return operate()
    except ValidationError:
        return None


def everything() -> tuple[Any, ...]:
    """Return all that a plan may change."""
    rows = (list(model._default_manager.values()) for model in (RolloutPlan, RoutingRule, Flag, Event))
    return (*rows, read_revision("default"))


def test_plan_flag_rule_and_events_agree_whatever_happens() -> None:
    run_state_machine_as_test(
        Plans,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Two sessions are not the same again each time, so shrinking would take long and find little.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
