"""One look at all servers, for what is over before the threads of a prober would have begun."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from rollout.settings import get_settings
from routers.health import Finding
from routers.probe import Probe
from routers.replicas import replicas

LONGEST_SECONDS = 1.0
PAUSE_SECONDS = 0.1


def ask(alias: str) -> Finding:
    """Ask one server how it stands, within PROBE_TIMEOUT_SECONDS. Raises nothing that a server can cause."""
    with closing(Probe(alias)) as probe:
        return probe.ask(get_settings().probe_timeout_seconds)


def look_at_servers(longest: float = LONGEST_SECONDS) -> None:
    """Ask every server how it stands, all at the same time, and again for so many seconds while a replica is not fit.

    A replica is judged by where its primary was, so primaries come first; and one that was a moment behind is known to
    be so only once it gets there. With servers that hang it takes a second and a few times PROBE_TIMEOUT_SECONDS.
    """
    clusters = get_settings().clusters.values()
    primaries = [(cluster, cluster.primary) for cluster in clusters]
    others = [(cluster, replica.alias) for cluster in clusters for replica in cluster.replicas]
    until = time.monotonic() + longest
    with ExitStack() as open_until_the_end:
        probes = {alias: open_until_the_end.enter_context(closing(Probe(alias))) for _, alias in primaries + others}
        threads = open_until_the_end.enter_context(ThreadPoolExecutor(max(len(probes), 1), "readshift-look"))
        while True:
            for servers in (primaries, others):
                asked = threads.map(_asked, [probes[alias] for _, alias in servers])
                for (cluster, alias), finding in zip(servers, list(asked), strict=True):
                    replicas.record(cluster, alias, finding)
            if all(replicas.is_fit(alias) for _, alias in others) or time.monotonic() + PAUSE_SECONDS >= until:
                return
            time.sleep(PAUSE_SECONDS)


def _asked(probe: Probe) -> Finding:
    timeout = get_settings().probe_timeout_seconds
    finding = probe.ask(timeout)
    if finding.unflushed:
        # Else an idle primary may stand where no replica can get to for many seconds.
        probe.flush(timeout)
    return finding
