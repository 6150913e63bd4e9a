"""The shape of the `READSHIFT` setting: clusters, replicas, options and their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

DEFAULT_POOL = "default"

ALWAYS_DENIED = frozenset(
    {
        "admin",
        "auth",
        "contenttypes",
        "sessions",
        "waffle",
        "readshift",
        "readshift_routers",
        "readshift_tasks",
        "readshift_admin",
    }
)
"""App labels that never read from a replica: a stale answer there logs people out or resurrects a flag."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the configuration. `code` is the id of the system check that reports it."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Replica:
    """A database alias that reads may go to.

    weight: relative to the others of its pool; 0 drains it. capacity: how many reads per second it can carry, or None
    if nobody has said so; the plans' check before a larger share asks for it.
    """

    alias: str
    weight: int = 1
    pool: str = DEFAULT_POOL
    capacity: float | None = None


@dataclass(frozen=True)
class Cluster:
    """One primary alias and its replicas. `apps` are the app labels it serves; empty means all that no other claims."""

    primary: str
    replicas: tuple[Replica, ...] = ()
    apps: frozenset[str] = frozenset()

    @cached_property
    def aliases(self) -> frozenset[str]:
        return frozenset({self.primary, *(replica.alias for replica in self.replicas)})

    @cached_property
    def pools(self) -> frozenset[str]:
        return frozenset(replica.pool for replica in self.replicas)


@dataclass(frozen=True)
class Settings:
    """The parsed setting. Durations are in seconds.

    enabled: False sends every read to the primary.
    clusters: primary alias to cluster.
    deny: app labels and model labels whose reads stay on the primary, besides those that always do.
    endpoints: names given by hand to units, so that a rule for one of them is known to be meant.
    actor: dotted path of `(HttpRequest) -> str | None`, for hosts that know their users by something else than the
        session cookie or the credentials.
    greatest_lag_seconds: a replica further behind serves no reads.
    return_lag_seconds: how close it must come before it serves again.
    shortest_ejection_seconds: how long it stays out at least, so that it does not flap.
    probing: "process": each process asks every server how it stands; "shared": one process asks for all, which read
        what it found in the cache.
    probe_seconds: how often a server is asked how it stands.
    probe_timeout_seconds: how long a server may take to answer.
    slow_answer_seconds: two answers in a row that take longer put a replica out, unless all servers are that slow.
    session_state: dotted path of `(connection) -> None` that sets what the host's statements rely on, such as a search
        path, a role or the variable of a row-level policy, on the connection that is about to run a unit's reads.
    fallback_share: the greatest share of a process's routed units whose reads may fall back to the primary; None is no
        limit.
    fallback_concurrency: how many such reads a process may run on the primary at the same time; None is no limit.
    retry_after_seconds: what a client is told that was refused because of that.
    wait_seconds: how long a read may wait for a replica that is behind before it goes to the primary.
    cache: the alias in CACHES that holds tokens of actors without cookies; all processes must share it.
    token_header: the name of an HTTP header in which other services that share SECRET_KEY send tokens, or None.
    explain_header: whether staff see in a response header where the queries of a request went, and why.
    writing_functions: names of functions in the database that write, so that a SELECT which calls one is a write.
    shadow_queue: how many captured reads a process holds until they are written; what goes over is dropped and counted.
    shadow_statement_bytes: a statement that is longer, parameters included, is not captured.
    shadow_timeout_seconds: how long a worker lets a server take for one statement that it compares.
    shadow_wait_seconds: how long a worker waits for the replica to catch up.
    shadow_rows: an answer with more rows is compared by digests, and never held in memory.
    shadow_bytes: the same for an answer that is larger than so many bytes.
    shadow_columns: columns, as table.column, of which reports may show values; of all others they keep keyed hashes.
    shadow_values_days: how long reports keep those values, and the statement of what was not equal.
    shadow_reports: how many compared reads are kept at most.
    webhook_secrets: what callers of the webhook sign with, the newest first; without one there is no webhook.
    webhook_bearer: whether callers who cannot sign may send a secret itself as a bearer token.
    notify_emails: who is told of notable events by mail.
    notify_url: where notable events are posted to as JSON, with http:// or https://; None is nowhere.
    metrics_tokens: what programs that read the metrics send as a bearer token, the newest first.
    metrics_targets: how many endpoints and rules have metrics of their own; the other endpoints share one name.
    policy_refresh: "background" keeps the policy fresh in a thread and probes the replicas; "inline" reads the policy
        when it is asked for and trusts every replica, which suits tests of routing; "auto" is "background", except
        that nothing is routed under Django's test runner.
    policy_poll_seconds: how often a process asks for the revision, which covers a lost notification.
    policy_reload_seconds: how often it reads everything, which covers changes that no signal announced.
    policy_max_age_seconds: without a successful refresh for this long, every read goes to the primary.
    flush_seconds: how often a process writes its counts.
    max_series: distinct counters a process holds between two flushes; what goes over is counted under one name.
    retention_days: how long counts and compared reads are kept.
    """

    enabled: bool = True
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    deny: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    actor: str | None = None
    greatest_lag_seconds: float = 10.0
    return_lag_seconds: float = 5.0
    shortest_ejection_seconds: float = 3.0
    probing: str = "process"
    probe_seconds: float = 0.5
    probe_timeout_seconds: float = 1.0
    slow_answer_seconds: float = 0.5
    session_state: str | None = None
    fallback_share: float | None = None
    fallback_concurrency: int | None = None
    retry_after_seconds: int = 5
    wait_seconds: float = 0.0
    cache: str = "default"
    token_header: str | None = None
    explain_header: bool = False
    writing_functions: frozenset[str] = frozenset()
    shadow_queue: int = 1_000
    shadow_statement_bytes: int = 65_536
    shadow_timeout_seconds: float = 5.0
    shadow_wait_seconds: float = 10.0
    shadow_rows: int = 10_000
    shadow_bytes: int = 8_388_608
    shadow_columns: frozenset[str] = frozenset()
    shadow_values_days: float = 7.0
    shadow_reports: int = 200_000
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    webhook_bearer: bool = False
    notify_emails: frozenset[str] = frozenset()
    notify_url: str | None = field(default=None, repr=False)
    metrics_tokens: tuple[str, ...] = field(default=(), repr=False)
    metrics_targets: int = 100
    policy_refresh: str = "auto"
    policy_poll_seconds: float = 1.0
    policy_reload_seconds: float = 30.0
    policy_max_age_seconds: float = 30.0
    flush_seconds: float = 2.0
    max_series: int = 10_000
    retention_days: float = 30.0

    @property
    def longest_silence_seconds(self) -> float:
        """How long a server may give no answer: one question may go unanswered."""
        return self.probe_timeout_seconds + 2 * self.probe_seconds

    @property
    def longest_trust_seconds(self) -> float:
        """How long a finding counts. Whoever asks himself is asking again when it ends.

        With shared probes it has to last until another leader is heard when the leader dies. The last finding that it
        told is then up to 2 turns old, by the bound that others have for it (one turn between questions, half a turn
        until it is told, half a turn of doubt when it was). After 2 turns without a round another process leads, and
        after 3 each asks for itself, whose answers come a turn before the end.
        """
        return self.longest_silence_seconds + (2 * self.probe_seconds if self.probing == "shared" else 0)

    @property
    def heartbeat_seconds(self) -> float:
        """How often a process tells that it lives: a tenth as often as it polls, with the default values."""
        return self.policy_max_age_seconds / 3

    @property
    def longest_absence_seconds(self) -> float:
        """For how long a process that tells nothing may still act on a policy.

        It may have refreshed its policy until just before it was to tell again, and then acts on it until that one is
        too old.
        """
        return self.heartbeat_seconds + self.policy_max_age_seconds

    def cluster_for_app(self, app_label: str) -> Cluster | None:
        """Return the cluster that serves this app, or None when its models live elsewhere."""
        catch_all = None
        for cluster in self.clusters.values():
            if app_label in cluster.apps:
                return cluster
            if not cluster.apps:
                catch_all = cluster
        return catch_all

    def cluster_of_alias(self, alias: str | None) -> Cluster | None:
        """Return the cluster that this alias belongs to, or None."""
        return self._by_alias.get(alias)

    @cached_property
    def _by_alias(self) -> Mapping[str | None, Cluster]:
        # Of two clusters that claim one alias, which a check reports, the first counts.
        clusters = reversed(tuple(self.clusters.values()))
        return {alias: cluster for cluster in clusters for alias in cluster.aliases}

    @cached_property
    def replicas(self) -> dict[str, Replica]:
        """Every replica of every cluster by alias."""
        return {replica.alias: replica for cluster in self.clusters.values() for replica in cluster.replicas}
