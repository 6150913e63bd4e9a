"""Judges what an operator relies on besides the servers: the kill switch, the processes, the cache, the pools. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from django.core.checks import ERROR, CheckMessage

from admin_ui.readiness.findings import Finding, Verdict
from rollout import capacity
from rollout.options import Cluster
from rollout.propagation import Propagation

EVERYWHERE = "all clusters"
"""The subject of what concerns no cluster alone."""


def judge_kill_switch(is_on: bool | None, *, is_enabled: bool) -> Finding:
    """Judge the kill switch. is_on: None if there is none. is_enabled: whether the settings let anything be routed."""
    title = "The kill switch is there"
    if not is_enabled:
        step = 'Set READSHIFT["ENABLED"] to True and restart to let the rules decide.'
        fact = "routing is off in the settings"
        return Finding("kill_switch", EVERYWHERE, title, Verdict.ATTENTION, fact, step)
    if is_on is None:
        step = "Every read goes to the primary until it exists. Run migrate, which creates it."
        return Finding("kill_switch", EVERYWHERE, title, Verdict.FAIL, "it does not exist", step)
    if not is_on:
        step = "Turn it on to let the rules decide."
        return Finding("kill_switch", EVERYWHERE, title, Verdict.ATTENTION, "every read goes to the primary", step)
    return Finding("kill_switch", EVERYWHERE, title, Verdict.PASS, "it lets the rules decide")


def judge_processes(found: Propagation) -> Finding:
    """Judge whether every process follows a change, such as the kill switch."""
    title = "Every process follows a change"
    counts = f"{found.current} of {found.processes} on revision {found.revision}"
    if not found.processes:
        step = "No process tells that it acts on the rules: none routes anything, or none has started yet."
        return Finding("processes", EVERYWHERE, title, Verdict.UNKNOWN, "no process", step)
    if found.behind:
        step = f"Behind: {', '.join(map(str, found.behind))}. Look at its log, or restart it if it stays behind."
        return Finding("processes", EVERYWHERE, title, Verdict.ATTENTION, counts, step)
    return Finding("processes", EVERYWHERE, title, Verdict.PASS, counts)


def judge_cache(alias: str, messages: Iterable[CheckMessage]) -> Finding:
    """Judge the cache that holds tokens, by what the system checks say about it."""
    title = "All processes share the cache of tokens"
    said = list(messages)
    if not said:
        return Finding("cache", EVERYWHERE, title, Verdict.PASS, f"the cache “{alias}” can be shared")
    verdict = Verdict.FAIL if any(message.level >= ERROR for message in said) else Verdict.ATTENTION
    return Finding("cache", EVERYWHERE, title, verdict, said[0].msg, said[0].hint or "")


def judge_pools(cluster: Cluster, loads: Mapping[str, float], drained: Iterable[str]) -> Iterator[Finding]:
    """Judge for each pool whether it could lose its busiest replica, and whether one of it is drained.

    loads: reads per second that each replica serves now.
    """
    out = frozenset(drained)
    for pool in sorted(cluster.pools):
        members = {replica.alias: replica.capacity for replica in cluster.replicas if replica.pool == pool}
        serving = {alias: limit for alias, limit in members.items() if alias not in out}
        yield _spare(f"pool {pool}", serving, loads)
        yield _drained(f"pool {pool}", sorted(out & members.keys()))


def _spare(subject: str, serving: Mapping[str, float | None], loads: Mapping[str, float]) -> Finding:
    title = "Each pool could lose its busiest replica"
    if not serving:
        fact = "all of its replicas are drained, so that its reads go to the primary"
        return Finding("capacity", subject, title, Verdict.FAIL, fact, "Let one of them serve again.")
    found = capacity.check(loads, serving, 1.0)
    if found.refusal:
        return Finding("capacity", subject, title, Verdict.ATTENTION, found.refusal)
    if any(limit is None for limit in serving.values()):
        return Finding("capacity", subject, title, Verdict.UNKNOWN, found.note)
    return Finding("capacity", subject, title, Verdict.PASS, found.note)


def _drained(subject: str, drained: list[str]) -> Finding:
    title = "No replica is drained"
    if drained:
        fact = f"{', '.join(drained)} {'is' if len(drained) == 1 else 'are'} drained"
        step = "Let it serve again once the work on it is done."
        return Finding("drained", subject, title, Verdict.ATTENTION, fact, step)
    return Finding("drained", subject, title, Verdict.PASS, "none")
