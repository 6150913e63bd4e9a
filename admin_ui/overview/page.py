"""All that the dashboard shows at one moment, read at once. The number of queries does not depend on the rules."""

from dataclasses import dataclass
from datetime import datetime

from admin_ui.drawing.windows import BUCKET_SECONDS, DEFAULT_MINUTES
from admin_ui.overview.distribution import Distribution, read_distribution
from admin_ui.overview.replays import Replays, read_replays
from admin_ui.overview.rows import RuleRow, rule_rows
from admin_ui.overview.shadows import divergences, shadow_lines
from admin_ui.overview.status import Status, assess
from admin_ui.permissions import Powers
from admin_ui.replicas.board import Board
from admin_ui.replicas.sight import see_replicas
from admin_ui.rules.problems import possible_endpoints, problems_of
from rollout.loading import load_policy
from rollout.models import RoutingRule
from rollout.settings import get_settings


@dataclass(frozen=True, slots=True)
class Page:
    """minutes: the window shown; choices: those on offer.

    revision: the policy's, when the page was read. is_outdated: the rules on the page are older than that.
    """

    minutes: int
    choices: tuple[int, ...]
    revision: int
    is_outdated: bool
    is_routing_on: bool
    status: Status
    distribution: Distribution
    board: Board
    replays: tuple[Replays, ...]
    rules: tuple[RuleRow, ...]

    @property
    def seen(self) -> str:
        """A short name for what the strip says: the page replaces it, and a screen reader speaks, only on a change."""
        return f"{self.status.digest}-{self.is_outdated:d}"


def parse_minutes(text: str) -> int:
    """Return one of the offered lengths of time, the default for anything else."""
    return next((minutes for minutes in BUCKET_SECONDS if str(minutes) == text), DEFAULT_MINUTES)


def read_page(
    now: datetime, minutes: int, powers: Powers, using: str, *, loaded_revision: str = "", with_rules: bool = True
) -> Page:
    """Read everything from one alias. `loaded_revision` is that of the page which asks for news, or empty.

    Without its rules a page costs less: verdicts on shadow reads rest on all that were compared within a week.
    """
    settings = get_settings()
    policy = load_policy(using)
    rules = list(RoutingRule.objects.using(using))
    endpoints = possible_endpoints(policy.endpoint_rules, using)
    problems = [problem for rule in policy.rules for problem in problems_of(rule, endpoints, settings)]
    distribution = read_distribution(now, minutes, settings, using)
    board = see_replicas(now, using, has_rules=policy.has_rules)
    is_outdated = loaded_revision not in {"", str(policy.revision)}
    return Page(
        minutes=minutes,
        choices=tuple(BUCKET_SECONDS),
        revision=policy.revision,
        is_outdated=is_outdated,
        is_routing_on=policy.enabled,
        status=assess(
            settings,
            policy,
            [*divergences(rules, now, using), *problems],
            [reason.code for reason in distribution.reasons],
            board,
        ),
        distribution=distribution,
        board=board,
        replays=read_replays(distribution.window, using),
        rules=rule_rows(rules, policy, powers, shadow_lines(rules, now, using)) if with_rules else (),
    )
