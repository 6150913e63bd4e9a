"""Helpers that several test modules share."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from demo.cluster import Cluster
from demo.waiting import wait_until
from rollout.models import GateKind, Mode, OverBudget, RoutingRule, TallyKind, TargetKind
from rollout.settings import get_settings
from routers.agent import agent
from routers.courier import courier
from routers.looking import look_at_servers
from routers.meter import meter
from routers.prober import prober
from routers.replicas import replicas
from routers.tokens import NOTHING
from routers.trail import outside_trail


@dataclass
class Reads:
    """How many statements that name a table each server ran in a `Servers.watch` block."""

    by_server: dict[str, int] = field(default_factory=dict)

    @property
    def primary(self) -> int:
        return self.by_server["primary"]

    @property
    def replicas(self) -> int:
        return sum(count for name, count in self.by_server.items() if name != "primary")

    @property
    def total(self) -> int:
        return sum(self.by_server.values())


class Servers:
    """What the database servers themselves saw, from their own statistics."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def settle(self) -> None:
        """Wait until the replicas show everything that was committed so far."""
        self.cluster.wait_for_replay()
        forget_writes()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the replicas as they are now, at most until this block ends: then they show everything."""
        for replica in self.cluster.replicas:
            replica.pause_replay()
        try:
            yield
        finally:
            self.catch_up()

    def catch_up(self) -> None:
        """Let replicas that are held go on, and wait until they show everything."""
        for replica in self.cluster.replicas:
            replica.resume_replay()
        self.cluster.wait_for_replay()

    def checkpoint(self) -> None:
        """Leave little to replay for replicas that are about to be killed, so that they are soon back."""
        self.cluster.primary.query("CHECKPOINT")
        self.cluster.wait_for_replay()
        for replica in self.cluster.replicas:
            replica.query("CHECKPOINT")

    @contextmanager
    def watch(self, table: str = "shop_product") -> Iterator[Reads]:
        """Count, on every server, the statements of this block that name the table. Our own counts start anew."""
        self.settle()
        for server in self.cluster.servers:
            server.reset_statements()
        meter.take()
        reads = Reads()
        yield reads
        for server in self.cluster.servers:
            reads.by_server[server.name] = sum(server.statements(f'"{table}"').values())


def route(
    target: str = "shop:product-list",
    *,
    kind: str = TargetKind.ENDPOINT,
    mode: str = Mode.ROUTE,
    gate: tuple[str, str] = (GateKind.NONE, ""),
    pool: str = "default",
    contract: str = "session",
    over_budget: str = OverBudget.PRIMARY,
) -> RoutingRule:
    """Create a rule: by default one that routes an endpoint for everybody.

    An operator does it, and not the code that the test runs afterwards, which need not see it.
    """
    unsettled = outside_trail().unsettled
    own = set(unsettled)
    rule = RoutingRule.objects.create(
        target_kind=kind,
        target=target,
        mode=mode,
        gate_kind=gate[0],
        gate_name=gate[1],
        pool=pool,
        contract=contract,
        over_budget=over_budget,
    )
    unsettled &= own
    return rule


@contextmanager
def probing(settings: Any, **options: Any) -> Iterator[None]:
    """Run the agent and the prober of this process as a server does, with limits that a test can wait for.

    Rules that exist already are known when the block begins, and replicas are fit. The next span of counts is far off.
    """
    quick = {"PROBE_SECONDS": 0.05, "PROBE_TIMEOUT_SECONDS": 5.0, "POLICY_POLL_SECONDS": 0.1, "FLUSH_SECONDS": 600}
    # On a slow machine, a test may hold replay for longer than replicas may usually be behind.
    patient = {"GREATEST_LAG_SECONDS": 60.0, "RETURN_LAG_SECONDS": 60.0, "SHORTEST_EJECTION_SECONDS": 0.1}
    before = settings.READSHIFT
    settings.READSHIFT = {**before, "POLICY_REFRESH": "background", **quick, **patient, **options}
    agent.forget()
    try:
        wait_until(lambda: agent.state()[0] is not None, 10, "the policy to be read")
        prober.start()

        def are_fit() -> bool:
            # A replica that was asked before its primary would wait for the next turn.
            look_at_servers(longest=0)
            return all(map(replicas.is_fit, get_settings().replicas))

        wait_until(are_fit, 60, "the replicas to be fit")
        yield
    finally:
        courier.stop()
        prober.stop()
        agent.stop()
        replicas.forget()
        settings.READSHIFT = before


def forget_writes() -> None:
    """Let the code that follows be somebody else's, who wrote nothing of what this test has written so far."""
    outside = outside_trail()
    outside.unsettled.clear()
    outside.seen.clear()
    outside.learned = NOTHING


def decisions(model: str = "shop.Product") -> dict[str, int]:
    """Return how often the router gave each reason for this model since the last `Servers.watch` began."""
    found: Counter[str] = Counter()
    for series, count in meter.take().items():
        if series.kind == TallyKind.DECISION and series.model == model:
            found[series.reason] += count
    return dict(found)


def account_header(request: HttpRequest) -> str | None:
    """An actor function such as a host may write."""
    return request.headers.get("X-Account")
