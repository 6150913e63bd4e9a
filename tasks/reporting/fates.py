"""What became of the reads of each rule that were chosen to be compared, up to the worker."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Sum

from rollout.models import RoutingRule, Tally, TallyKind, TargetKind
from rollout.outcomes import CaptureFate
from tasks.reporting.sums import of_rules

Fates = Counter[CaptureFate]


def read_fates(rules: Collection[RoutingRule], since: datetime, using: str) -> Mapping[int, Fates]:
    """Return how many reads of each rule, by its id, met each fate since then, in one query.

    A read counts for the rule of its endpoint and for the rule of its model, whichever of them had chosen it.
    """
    rows = (
        Tally.objects.using(using)
        .filter(of_rules(rules), kind=TallyKind.SHADOW, starts_at__gte=since, reason__in=CaptureFate.values)
        .values_list("endpoint", "model", "reason")
        .annotate(total=Sum("count"))
    )
    ids = {(rule.target_kind, rule.target): rule.pk for rule in rules}
    fates: dict[int, Fates] = {pk: Counter() for pk in ids.values()}
    for endpoint, model, reason, total in rows:
        for target in ((TargetKind.ENDPOINT.value, endpoint), (TargetKind.MODEL.value, model)):
            if (rule := ids.get(target)) is not None:
                fates[rule][CaptureFate(reason)] += total
    return fates
