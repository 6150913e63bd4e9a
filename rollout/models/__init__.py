"""Every table that Readshift owns."""

from rollout.models.arm import ArmCount, Side
from rollout.models.baseline import Baseline
from rollout.models.drain import DrainedReplica
from rollout.models.endpoint_count import EndpointCount
from rollout.models.event import Door, Event, EventKind
from rollout.models.plan import RolloutPlan
from rollout.models.process import Process
from rollout.models.revision import PolicyRevision
from rollout.models.rule import GateKind, Mode, OverBudget, RoutingRule, TargetKind
from rollout.models.shadow import ShadowRead, ShadowState
from rollout.models.tally import Tally, TallyKind
from rollout.models.webhook import WebhookCall

__all__ = [
    "ArmCount",
    "Baseline",
    "Door",
    "DrainedReplica",
    "EndpointCount",
    "Event",
    "EventKind",
    "GateKind",
    "Mode",
    "OverBudget",
    "PolicyRevision",
    "Process",
    "RolloutPlan",
    "RoutingRule",
    "ShadowRead",
    "ShadowState",
    "Side",
    "Tally",
    "TallyKind",
    "TargetKind",
    "WebhookCall",
]
