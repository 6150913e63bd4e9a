"""What a rule keeps on the primary for others, which goes when the rule goes."""

from rollout import exposure
from rollout.loading import load_policy, load_rule
from rollout.models import RoutingRule


def release_words(stored: RoutingRule, using: str) -> str:
    """Say, to continue “this would”, whose reads may leave the primary without a stored rule; empty if nobody's."""
    held_back = exposure.held_back_by(load_rule(stored, using), load_policy(using).rules)
    if not held_back:
        return ""
    return f"let go reads of {', '.join(map(str, held_back))} that the rule for {stored} keeps on the primary"
