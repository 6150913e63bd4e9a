"""Everything that one system runs on: databases, relays, cache, and for each scenario a web server of its own."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

import requests

from benchmarks.failover.attempts import Log
from benchmarks.failover.scenarios import Scenario
from benchmarks.failover.site import Site
from benchmarks.processes import CHECKOUT, Project, free_port, manage, running
from benchmarks.relays import Relays
from demo.addresses import Addresses
from demo.broker import running_broker
from demo.cluster import Cluster, default_root
from demo.waiting import wait_until

DATABASE = "failover"
FILES = CHECKOUT / ".demo" / "failover-app"
PROJECT = Project("benchmarks.failover.app", FILES)
KEYS = tuple(f"article-{number}" for number in range(50))
WEB_WORKERS = 3
WEB_THREADS = 4
START_SECONDS = 60.0
_OPTIONS = "FAILOVER_READSHIFT"


@dataclass(frozen=True, slots=True)
class Web:
    """A web server, and what its processes try."""

    url: str
    log: Log


@dataclass(frozen=True, slots=True)
class Stack:
    """A site, and how to run the project on it."""

    site: Site
    variables: dict[str, str]

    @contextmanager
    def web(self, scenario: Scenario) -> Iterator[Web]:
        """Run the project for one scenario: with new processes, and nothing left of an earlier one but its rows."""
        attempts = FILES / "attempts" / scenario.name
        attempts.mkdir(parents=True)
        options = {**json.loads(self.variables.get(_OPTIONS, "{}")), **scenario.options}
        variables = {**self.variables, _OPTIONS: json.dumps(options)}
        manage(["prepare_failover", f"--over-budget={scenario.over_budget}", *KEYS], variables)
        self.site.settle()
        variables["FAILOVER_ATTEMPTS"] = str(attempts)
        port, log = free_port(), FILES / "logs" / f"web-{scenario.name}.log"
        # Workers that hang are not waited for.
        web = [*PROJECT.web_server(port, WEB_WORKERS, WEB_THREADS), "--graceful-timeout=2"]
        with running("web server", web, variables, log):
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _is_ready(url), START_SECONDS, f"the web server to answer, see {log}")
            yield Web(url, Log(attempts))


@contextmanager
def running_stack(system: str, say: Callable[[str], None]) -> Iterator[Stack]:
    """Start what this system needs, give it to the caller, and stop it in the reverse order."""
    with ExitStack() as stack:
        say("starting a primary and two standbys")
        cluster = stack.enter_context(Cluster(default_root("failover"), replicas=2))
        # The cluster's lock is held: no other run of this checkout is under way.
        PROJECT.end_left_behind()
        shutil.rmtree(FILES, ignore_errors=True)
        Path(FILES, "logs").mkdir(parents=True)
        cluster.primary.query(f"CREATE DATABASE {DATABASE}")
        relays = stack.enter_context(Relays([server.port for server in cluster.servers]))
        broker = stack.enter_context(running_broker(FILES / "broker"))
        primary, *replicas = relays.ports
        addresses = Addresses(DATABASE, primary, tuple(replicas), broker.url, broker.cache)
        file = FILES / "addresses.json"
        file.write_text(json.dumps(asdict(addresses)))
        variables = PROJECT.environment(system, file)
        manage(["migrate", "--run-syncdb", "--verbosity=0"], variables)
        yield Stack(Site(cluster, relays), variables)


def _is_ready(url: str) -> bool:
    with requests.Session() as http:
        http.trust_env = False
        try:
            return http.get(f"{url}/page/{KEYS[0]}", timeout=5).status_code == HTTPStatus.OK
        except requests.RequestException:
            return False
