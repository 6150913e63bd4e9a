"""What a run needs: a primary, a replica, and for each phase two web servers with new processes."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.pgbouncer import find_pgbouncer, pgbouncers
from benchmarks.processes import CHECKOUT, ProcessError, Project, free_port, manage, running
from benchmarks.propagation.changes import Operator, operating
from benchmarks.propagation.wire import LINE_PREFIX
from benchmarks.systems import OWN
from demo.addresses import Addresses
from demo.cluster import Cluster, default_root
from demo.waiting import wait_until

DATABASE = "propagation"
FILES = CHECKOUT / ".demo" / "propagation-app"
PROJECT = Project("benchmarks.propagation.app", FILES)
SERVICES = ("plain", "preloaded")
WORKERS = 8
"""Of each service."""

THREADS = 2
_START_SECONDS = 60.0
_REPLAY_SECONDS = 60.0
_SETTINGS = {
    "log_statement": "all",
    "log_line_prefix": LINE_PREFIX,
    "track_commit_timestamp": "on",
    "max_connections": "200",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """The databases, and how to run the project on them."""

    cluster: Cluster
    variables: dict[str, str]

    @contextmanager
    def pooler(self) -> Iterator[int]:
        """Run a PgBouncer in transaction mode in front of the primary, and give its port."""
        program = find_pgbouncer()
        if program is None:
            raise ProcessError(
                "There is no pgbouncer, which keeps notifications from processes. Debian's package brings it."
            )
        options = {"default_pool_size": "30", "max_client_conn": "400"}
        with pgbouncers(program, [self.cluster.primary], DATABASE, options) as ports:
            yield ports[self.cluster.primary.name]

    @contextmanager
    def services(self, phase: str, primary: int) -> Iterator[list[int]]:
        """Run both web servers, whose way to the primary is this port, and give their ports."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._service(name, phase, primary)) for name in SERVICES]

    @contextmanager
    def operator(self, phase: str) -> Iterator[Operator]:
        """Run the operator's process, whose way to the primary is the direct one."""
        with operating(self.variables, FILES / "logs" / f"operator-{phase}.log") as operator:
            yield operator

    @contextmanager
    def _service(self, name: str, phase: str, primary: int) -> Iterator[int]:
        port, log = free_port(), FILES / "logs" / f"{name}-{phase}.log"
        command = PROJECT.web_server(port, WORKERS, THREADS)
        variables = {**self.variables, "PROPAGATION_PRIMARY": str(primary)}
        if name == "preloaded":
            command += ["--preload"]
            variables["PROPAGATION_WARM"] = "yes"
        with running(f"web server {name}", command, variables, log):
            # Each worker says so when it begins.
            begun = "Booting worker with pid"
            wait_until(lambda: log.read_text().count(begun) == WORKERS, _START_SECONDS, f"{name} to start, see {log}")
            yield port


@contextmanager
def running_stack(say: Callable[[str], None]) -> Iterator[Stack]:
    """Start what both phases need, give it to the caller, and stop it in the reverse order."""
    with ExitStack() as stack:
        say("starting a primary and a replica")
        cluster = stack.enter_context(Cluster(default_root("propagation"), replicas=1, settings=_SETTINGS))
        # The cluster's lock is held: no other run of this checkout is under way.
        PROJECT.end_left_behind()
        shutil.rmtree(FILES, ignore_errors=True)
        Path(FILES, "logs").mkdir(parents=True)
        cluster.primary.query(f"CREATE DATABASE {DATABASE}")
        file = FILES / "addresses.json"
        ports = tuple(replica.port for replica in cluster.replicas)
        file.write_text(json.dumps(asdict(Addresses(DATABASE, cluster.primary.port, ports))))
        variables = PROJECT.environment(OWN, file)
        manage(["migrate", "--run-syncdb", "--verbosity=0"], variables)
        manage(["prepare_propagation"], variables)
        cluster.wait_for_replay(_REPLAY_SECONDS)
        yield Stack(cluster, variables)
