"""Everything that a run needs: servers, a database for each number of rules, and processes that measure."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path

from benchmarks.overhead.blocks import Block, What
from benchmarks.overhead.content import REPLICA, RULES, SESSIONS, database, session_key
from benchmarks.overhead.crew import Worker, employed
from benchmarks.overhead.installing import COMPARED, CONSTANT
from benchmarks.overhead.others import add_rules
from benchmarks.processes import CHECKOUT, Project, manage
from benchmarks.systems import OWN
from demo.addresses import Addresses
from demo.cluster import Cluster, default_root
from demo.waiting import wait_until

FILES = CHECKOUT / ".demo" / "overhead-app"
PROJECT = Project("benchmarks.overhead.app", FILES)
CONTROL = "constant_again"
"""A second process with the same router: what it differs by is what two processes differ by."""
_REPLAY_SECONDS = 60.0
_READY_SECONDS = 60.0
# Also statements such as SET are to be counted.
_SETTINGS = {"pg_stat_statements.track_utility": "on"}


def own(rules: int) -> str:
    """Return the name of Readshift with so many rules, which for the fewest is that of the system."""
    return OWN if rules == min(RULES) else f"{OWN}_{rules}"


CREW: Mapping[str, tuple[str, int]] = {
    **{system: (system, min(RULES)) for system in COMPARED},
    CONTROL: (CONSTANT, min(RULES)),
    **{own(rules): (OWN, rules) for rules in RULES},
}
"""Name of each process to its system and the number of rules in its database."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The servers, and how to run the project on them."""

    cluster: Cluster

    @contextmanager
    def crew(
        self, names: Mapping[str, tuple[str, int]] = CREW, prefix: Sequence[str] = ()
    ) -> Iterator[dict[str, Worker]]:
        """Run these processes, which have all found a client whose reads go to the same replica.

        prefix: what Python runs under. Raises `TimeoutError` when Readshift does not route.
        """
        with ExitStack() as stack:
            crew = {
                name: stack.enter_context(
                    employed(name, self.variables(system, rules), FILES / "logs" / f"{name}.log", prefix)
                )
                for name, (system, rules) in names.items()
            }
            sessions = [session_key(number) for number in range(SESSIONS)]
            for name, worker in crew.items():
                if names[name][0] == OWN:
                    sessions = [_find_session(worker, sessions)]
            for worker in crew.values():
                worker.begin(sessions[0])
            yield crew

    def variables(self, system: str, rules: int) -> dict[str, str]:
        """Return the environment of a process with this system and so many rules."""
        return {**PROJECT.environment(system, FILES / "addresses.json"), "OVERHEAD_DATABASE": database(rules)}


def _find_session(worker: Worker, sessions: Sequence[str]) -> str:
    """Return the session of a client who is let go by the flag, and whose replica is the constant router's."""
    candidates, chosen = cycle(sessions), ""

    def is_found() -> bool:
        nonlocal chosen
        chosen = next(candidates)
        worker.begin(chosen)
        return worker.measure(Block(What.DECISION), 1).aliases == {REPLICA}

    wait_until(is_found, _READY_SECONDS, f"{worker.name} to read from {REPLICA}")
    return chosen


@contextmanager
def running_stack(say: Callable[[str], None]) -> Iterator[Stack]:
    """Start the servers, fill the databases, give them to the caller, and stop them."""
    say("starting a primary and two standbys")
    with Cluster(default_root("overhead"), replicas=2, settings=_SETTINGS) as cluster:
        shutil.rmtree(FILES, ignore_errors=True)
        Path(FILES, "logs").mkdir(parents=True)
        name = database(RULES[0])
        cluster.primary.query(f"CREATE DATABASE {name}")
        addresses = Addresses(name, cluster.primary.port, tuple(server.port for server in cluster.replicas))
        Path(FILES, "addresses.json").write_text(json.dumps(asdict(addresses)))
        stack = Stack(cluster)
        say("creating tables")
        manage(["migrate", "--run-syncdb", "--verbosity=0"], stack.variables(OWN, RULES[0]))
        say("filling them")
        _fill(stack)
        cluster.wait_for_replay(_REPLAY_SECONDS)
        yield stack


def _fill(stack: Stack) -> None:
    first, *others = RULES
    manage(["prepare_overhead"], stack.variables(OWN, first))
    for rules in others:
        stack.cluster.primary.query(f"CREATE DATABASE {database(rules)} TEMPLATE {database(first)}")
    for rules in RULES:
        add_rules(stack.cluster.primary, database(rules), rules)
