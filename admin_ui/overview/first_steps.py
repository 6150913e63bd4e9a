"""From "installed" to "first endpoint observed": what is done, and the exact next thing to do. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from rollout.policy import KILL_SWITCH
from routers.checks import MIDDLEWARE, ROUTER


@dataclass(frozen=True, slots=True)
class Setup:
    """What is known of the installation. Texts are empty, and tuples too, where nothing is wrong.

    pending: migrations of ours that were not applied. cluster: what keeps READSHIFT from naming a cluster with
    replicas. unreachable: which replicas cannot serve, and why. is_counted: whether a rule has decided a read.
    """

    alias: str
    pending: tuple[str, ...]
    cluster: tuple[str, ...]
    unreachable: tuple[str, ...]
    router: tuple[str, ...]
    middleware: tuple[str, ...]
    is_enabled: bool
    is_routing_on: bool
    rules: int
    is_counted: bool


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One step. found: what is wrong, or what is done. todo: what to do next, empty once it is done. code: to copy.

    link: the name of an address where it is done, or empty.
    """

    title: str
    is_done: bool
    found: tuple[str, ...] = ()
    todo: str = ""
    code: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """All of them, in the order in which they are done."""

    steps: tuple[FirstStep, ...]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)

    @property
    def next(self) -> FirstStep | None:
        """The first that is not done."""
        return next((step for step in self.steps if not step.is_done), None)


def first_steps(setup: Setup) -> FirstSteps:
    """Return the steps as they stand."""
    return FirstSteps((*_installed(setup), *_running(setup)))


def _installed(setup: Setup) -> Iterator[FirstStep]:
    yield _step(
        "Create the tables",
        tuple(f"{name} was not applied." for name in setup.pending),
        todo="Apply the migrations, and restart the processes.",
        code=f"python manage.py migrate --database {setup.alias}",
    )
    yield _step(
        "Name a cluster with replicas",
        setup.cluster,
        todo="Name the standbys by their aliases in DATABASES, and restart.",
        code='READSHIFT = {"CLUSTERS": {"default": {"REPLICAS": ["replica1", "replica2"]}}}',
    )
    yield _step(
        "Reach every replica",
        setup.unreachable,
        todo="Start what is down, or correct the address in DATABASES. Readshift routes around what stays away.",
    )
    yield _step(
        "Install the router",
        setup.router,
        todo="Put it first, and restart.",
        code=f'DATABASE_ROUTERS = ["{ROUTER}"]',
    )
    yield _step(
        "Install the middleware",
        setup.middleware,
        todo="Put it first, so that it sees all of each request, and restart.",
        code=f'MIDDLEWARE = ["{MIDDLEWARE}", …]',
    )


def _running(setup: Setup) -> Iterator[FirstStep]:
    yield _switch(setup)
    yield _step(
        "Write a rule that observes",
        () if setup.rules else ("There is no rule yet, so every read goes to the primary.",),
        todo="Choose one busy endpoint and the mode observe: it counts what a replica would have served, and moves "
        "nothing.",
        link="admin:readshift_routingrule_add",
    )
    yield _step(
        "See the first read under a rule",
        () if setup.is_counted else ("No rule has decided a read yet.",),
        todo="Open a page of that endpoint. The count is here within about ten seconds.",
    )


def _switch(setup: Setup) -> FirstStep:
    title = "Turn the kill switch on"
    if not setup.is_enabled:
        return FirstStep(
            title,
            is_done=False,
            found=("Routing is switched off in the settings.",),
            todo='Set READSHIFT["ENABLED"] to True, and restart.',
        )
    return _step(
        title,
        () if setup.is_routing_on else (f"The waffle switch “{KILL_SWITCH}” is off, or there is none.",),
        todo="Use the button at the top of this page, or the command. Rules move nothing while they only observe.",
        code=f"python manage.py waffle_switch {KILL_SWITCH} on --create",
    )


def _step(title: str, found: tuple[str, ...], *, todo: str, code: str = "", link: str = "") -> FirstStep:
    """Return a step that is done unless something was found."""
    if not found:
        return FirstStep(title, is_done=True)
    return FirstStep(title, is_done=False, found=found, todo=todo, code=code, link=link)
