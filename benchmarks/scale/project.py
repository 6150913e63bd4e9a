"""The smallest project that has rules and counts, and the rows that a large one would have."""

from dataclasses import dataclass

import django
from django.conf import settings

from benchmarks.systems import OWN, databases, install

PRIMARY, REPLICAS = "default", ("replica1", "replica2")
GATED = 10
"""Rules whose rollout is under way. The others are open or closed for everybody."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the primary listens. Nothing here reads from a replica, so that the aliases of those lead there as well."""

    port: int

    def configure(self) -> None:
        """Be that project in this process. Does nothing the second time."""
        if settings.configured:
            return
        installed = install(OWN, REPLICAS, {"POLICY_REFRESH": "background"})
        settings.configure(
            SECRET_KEY="the-benchmark-guards-nothing",  # noqa: S106 - it is no secret
            USE_TZ=True,
            DATABASES=databases("django.db.backends.postgresql", "postgres", self.port, [self.port] * len(REPLICAS)),
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", *installed.apps],
            **installed.settings,
        )
        django.setup()


def endpoint(number: int) -> str:
    """Return the name of an endpoint, as long as names usually are."""
    return f"shop:page-{number:05}-list"


def add_rules(until: int) -> None:
    """Have as many rules, each for an endpoint of its own and under a flag of its own."""
    from waffle.models import Flag  # noqa: PLC0415 - they need settings

    from rollout.models import GateKind, Mode, RoutingRule  # noqa: PLC0415

    numbers = range(RoutingRule.objects.count(), until)
    Flag.objects.bulk_create(
        Flag(name=f"readshift-{endpoint(number)}", percent=10, superusers=False) for number in numbers
    )
    RoutingRule.objects.bulk_create(
        RoutingRule(
            target=endpoint(number),
            mode=Mode.ROUTE,
            gate_kind=GateKind.FLAG,
            gate_name=f"readshift-{endpoint(number)}",
            note="Moved in stages.",
        )
        for number in numbers
    )


def prepare() -> None:
    """Make the tables, and let rules decide."""
    from django.core.management import call_command  # noqa: PLC0415 - they need settings
    from waffle.models import Switch  # noqa: PLC0415

    from rollout.policy import KILL_SWITCH  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    Switch.objects.filter(name=KILL_SWITCH).update(active=True)
