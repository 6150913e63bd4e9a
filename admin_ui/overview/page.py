"""All that the overview shows at one moment, read at once. The number of queries does not depend on the rules."""

from dataclasses import dataclass, replace
from datetime import datetime

from admin_ui.drawing.windows import BUCKET_SECONDS, Window, length_label
from admin_ui.events.words import EventWords
from admin_ui.overview.attention import Attention, attention
from admin_ui.overview.counts import read_counts
from admin_ui.overview.distribution import Distribution, distribution
from admin_ui.overview.events import read_events
from admin_ui.overview.first_steps import FirstSteps, first_steps
from admin_ui.overview.listing import PER_PAGE, Listing, Search, find
from admin_ui.overview.loads import LoadedCluster, loaded_clusters
from admin_ui.overview.plans import plan_line, read_plans
from admin_ui.overview.processes import Processes, processes_of
from admin_ui.overview.rows import Beside, rule_rows
from admin_ui.overview.setup import has_counted, read_setup
from admin_ui.overview.shadows import read_divergences, shadow_lines
from admin_ui.overview.status import Status, assess
from admin_ui.permissions import Powers
from admin_ui.replicas.board import Board
from admin_ui.replicas.sight import see_replicas
from admin_ui.rules.problems import possible_endpoints
from rollout.loading import load_policy
from rollout.models import DrainedReplica, RolloutPlan, RoutingRule
from rollout.options import Settings
from rollout.policy import Policy
from rollout.propagation import Roll, read_roll
from rollout.settings import get_settings
from routers.agent import agent


@dataclass(frozen=True, slots=True)
class Page:
    """What changes by itself, in the overview and in its news.

    is_outdated: the rules on the page are older than the policy that this was read with.
    """

    policy: Policy
    is_outdated: bool
    status: Status
    distribution: Distribution
    board: Board
    clusters: tuple[LoadedCluster, ...]
    processes: Processes

    @property
    def is_routing_on(self) -> bool:
        return self.policy.enabled

    @property
    def seen(self) -> str:
        """A short name for what the strip says: the page replaces it, and a screen reader speaks, only on a change."""
        return f"{self.status.digest}-{self.is_outdated:d}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the lengths of time on offer. address: what asks for it."""

    label: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page. listing, first_steps: None for those who may not see rules; the steps too once all are done."""

    page: Page
    choices: tuple[Choice, ...]
    listing: Listing | None
    events: tuple[EventWords, ...]
    first_steps: FirstSteps | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """A page, and what it was made from that the rest of the overview needs too."""

    page: Page
    settings: Settings
    attention: Attention
    plans: dict[int, RolloutPlan]


def read_news(now: datetime, search: Search, using: str, loaded_revision: str) -> Page:
    """Read what changes by itself from one alias. loaded_revision: that of the page which asks for news, or empty."""
    roll = read_roll(using)
    policy = _current_policy(roll.revision, using)
    return _read(now, search, using, roll=roll, policy=policy, loaded_revision=loaded_revision).page


def read_overview(now: datetime, search: Search, powers: Powers, using: str, *, per_page: int = PER_PAGE) -> Overview:
    """Read everything from one alias, rules and gates too, which may have been changed where no process hears of it.

    per_page: how many rules are listed at most.
    """
    roll = read_roll(using)
    facts = _read(now, search, using, roll=roll, policy=load_policy(using, roll.revision))
    return Overview(
        page=facts.page,
        choices=tuple(
            Choice(length_label(minutes), f"?{search.within(minutes).query}", minutes == search.minutes)
            for minutes in BUCKET_SECONDS
        ),
        listing=_listing(facts, now, search, powers, using, per_page=per_page) if powers.may_see_rules else None,
        events=read_events(using) if powers.may_see_rules else (),
        first_steps=_unfinished_steps(facts, using) if powers.may_see_rules else None,
    )


def read_first_steps(now: datetime, using: str) -> FirstSteps:
    """Read how far the installation has come from one alias."""
    settings, policy = get_settings(), load_policy(using)
    board = see_replicas(now, using, has_rules=policy.has_rules)
    is_counted = has_counted((), policy, using)
    return first_steps(read_setup(settings, policy, board, using, is_counted=is_counted, is_thorough=True))


def _current_policy(revision: int, using: str) -> Policy:
    """Return the policy of this revision: that which the process acts on, if it is, else one that is read anew."""
    policy, _ = agent.state()
    return policy if policy is not None and policy.revision == revision else load_policy(using, revision)


def _read(
    now: datetime, search: Search, using: str, *, roll: Roll, policy: Policy, loaded_revision: str = ""
) -> _Facts:
    settings = get_settings()
    window = Window.until(now, search.minutes)
    counts = read_counts(window, using)
    plans = dict(read_plans(now, using))
    # What was counted just now need not be looked for in all that was ever counted.
    counted = {endpoint for endpoint, *_ in counts.endpoints}
    endpoints = possible_endpoints(policy.endpoint_rules.keys() - counted, using) | counted
    divergences = read_divergences(policy, now, using)
    found = attention(policy, endpoints, settings, divergences=divergences, plans=plans.values(), now=now)
    drained = DrainedReplica.objects.using(using).order_by("alias") if policy.drained else ()
    board = see_replicas(now, using, has_rules=policy.has_rules, drained=drained)
    processes, reads = processes_of(roll), distribution(window, counts, settings)
    problems = [processes.problem] if processes.problem else []
    reasons = [reason.code for reason in reads.reasons]
    page = Page(
        policy=policy,
        is_outdated=loaded_revision not in {"", str(policy.revision)},
        status=assess(settings, policy, [*problems, *found.problems], reasons, board),
        distribution=reads,
        board=board,
        clusters=loaded_clusters(board, reads.databases),
        processes=processes,
    )
    return _Facts(page, settings, found, plans)


def _listing(facts: _Facts, now: datetime, search: Search, powers: Powers, using: str, *, per_page: int) -> Listing:
    rules = list(RoutingRule.objects.using(using))
    needy = facts.attention.by_rule(rules)
    found = find(rules, needy, search, per_page)
    beside = Beside(
        shadows=shadow_lines(found.rules, now, using),
        plans={rule.pk: plan_line(plan, now) for rule in found.rules if (plan := facts.plans.get(rule.pk)) is not None},
        attention=needy,
    )
    return Listing(replace(search, page=found.page), found, rule_rows(found.rules, facts.page.policy, powers, beside))


def _unfinished_steps(facts: _Facts, using: str) -> FirstSteps | None:
    page = facts.page
    reasons = [reason.code for reason in page.distribution.reasons]
    if page.distribution.on_replicas or has_counted(reasons, page.policy, using):
        return None
    setup = read_setup(facts.settings, page.policy, page.board, using, is_counted=False, is_thorough=False)
    return first_steps(setup)
