"""What one user may see and do. Buttons and views ask the same object, so they cannot disagree."""

from dataclasses import dataclass
from typing import Protocol, Self

VIEW_DASHBOARD = "readshift_admin.view_dashboard"
VIEW_RULES = "readshift.view_routingrule"
VIEW_EVENTS = "readshift.view_event"
OPERATE = "readshift.operate_routing"
ROLL_BACK = "readshift.rollback_routing"


class HasPermissions(Protocol):
    """A user, as far as permissions go."""

    def has_perm(self, perm: str, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Powers:
    """may_see: the dashboard. may_see_rules: the rules on it. may_see_events: the record of what was changed.

    may_lower: take reads back to the primary. may_raise: send more of them to replicas. Whoever may do a thing may see
    what it is done to, and whoever may raise may lower.
    """

    may_see: bool
    may_see_rules: bool
    may_lower: bool
    may_raise: bool
    may_see_events: bool = False

    @classmethod
    def of(cls, user: HasPermissions) -> Self:
        may_raise = user.has_perm(OPERATE)
        may_lower = may_raise or user.has_perm(ROLL_BACK)
        may_see_rules = may_lower or user.has_perm(VIEW_RULES)
        # The record tells of rules, and so may whoever sees those see it.
        may_see_events = may_see_rules or user.has_perm(VIEW_EVENTS)
        return cls(
            may_see=may_see_events or user.has_perm(VIEW_DASHBOARD),
            may_see_rules=may_see_rules,
            may_lower=may_lower,
            may_raise=may_raise,
            may_see_events=may_see_events,
        )
