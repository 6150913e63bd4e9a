"""Every table that Readshift owns."""

from rollout.models.revision import PolicyRevision
from rollout.models.rule import GateKind, Mode, RoutingRule, TargetKind
from rollout.models.tally import Tally, TallyKind

__all__ = ["GateKind", "Mode", "PolicyRevision", "RoutingRule", "Tally", "TallyKind", "TargetKind"]
