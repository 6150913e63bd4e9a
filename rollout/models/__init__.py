"""Every table that Readshift owns."""

from rollout.models.drain import DrainedReplica
from rollout.models.event import Door, Event, EventKind
from rollout.models.revision import PolicyRevision
from rollout.models.rule import GateKind, Mode, OverBudget, RoutingRule, TargetKind
from rollout.models.shadow import ShadowRead, ShadowState
from rollout.models.tally import Tally, TallyKind

__all__ = [
    "Door",
    "DrainedReplica",
    "Event",
    "EventKind",
    "GateKind",
    "Mode",
    "OverBudget",
    "PolicyRevision",
    "RoutingRule",
    "ShadowRead",
    "ShadowState",
    "Tally",
    "TallyKind",
    "TargetKind",
]
