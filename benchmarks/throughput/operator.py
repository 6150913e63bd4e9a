"""The operator of the measured shop: opens its flag and drains replicas, as a shell on the web host would."""

import os
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

import django

from benchmarks.throughput.configurations import FLAG, Configuration


def sign_in(variables: Mapping[str, str]) -> None:
    """Become a process of the project. Called once its servers run."""
    os.environ.update(variables)
    django.setup()


def prepare(configuration: Configuration) -> int:
    """Set the flag and the replicas in rotation, and return the revision that processes must have taken over."""
    from django.conf import settings  # noqa: PLC0415 - it needs `sign_in` first
    from django.db import DEFAULT_DB_ALIAS  # noqa: PLC0415 - likewise

    from rollout.models import GateKind, PolicyRevision  # noqa: PLC0415 - likewise
    from rollout.operations import drain, set_share, undrain  # noqa: PLC0415 - likewise

    set_share(GateKind.FLAG, FLAG, Decimal(str(configuration.percent)))
    aliases = [alias for alias in settings.DATABASES if alias != DEFAULT_DB_ALIAS]
    for number, alias in enumerate(aliases):
        if number < configuration.replicas:
            undrain(alias, DEFAULT_DB_ALIAS)
        else:
            drain(alias, "benchmark", "measured without it", DEFAULT_DB_ALIAS)
    return int(PolicyRevision.objects.using(DEFAULT_DB_ALIAS).get().revision)


def decisions() -> Counter[str]:
    """Return how often Readshift decided what for reads of the shop, by reason, as far as processes have told."""
    from django.db.models import Sum  # noqa: PLC0415 - it needs `sign_in` first

    from rollout.models import Tally  # noqa: PLC0415 - likewise
    from rollout.models.tally import TallyKind  # noqa: PLC0415 - likewise

    rows = Tally.objects.filter(kind=TallyKind.DECISION, model__startswith="shop.").order_by().values_list("reason")
    return Counter(dict(rows.annotate(total=Sum("count"))))
