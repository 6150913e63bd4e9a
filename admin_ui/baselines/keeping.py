"""Makes, finds and deletes baselines, and compares one with what came later."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from admin_ui.baselines.changes import Comparison
from admin_ui.baselines.comparing import compare
from rollout import acting
from rollout.endpoint_sums import EndpointSums, Span, stored_span, sum_up
from rollout.models import Baseline

_LONGEST_NAME = Baseline._meta.get_field("name").max_length or 0


def save(name: str, span: Span, using: str) -> Baseline:
    """Keep what was counted in a span, in the name of whoever acts. Raises ValidationError if it cannot be kept."""
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValidationError(f"“{name}” cannot name a baseline. Write 1 to {_LONGEST_NAME} printable characters.")
    span = stored_span(span, using)
    counted = {endpoint: sums for endpoint, sums in sum_up(span, using).items() if sums.units}
    if not counted:
        raise ValidationError(
            f"Nothing was counted from {span.since} to {span.until}, so there is nothing to keep. Choose a time in "
            f"which the project was used."
        )
    baseline = Baseline(
        name=name,
        made_at=timezone.now(),
        made_by=acting.current().who()[:150],
        starts_at=span.since,
        ends_at=span.until,
        endpoints={endpoint: sums.as_json() for endpoint, sums in counted.items()},
    )
    try:
        with transaction.atomic(using):
            baseline.save(using=using, force_insert=True)
    except IntegrityError:
        raise ValidationError(f"There is a baseline “{name}” already. Choose another name, or delete it.") from None
    return baseline


def compare_with(baseline: Baseline, span: Span, margin: float, using: str) -> Comparison:
    """Compare a baseline with a span. Raises ValidationError for one that overlaps the baseline's own."""
    before, after = Span(baseline.starts_at, baseline.ends_at), stored_span(span, using)
    if after.overlaps(before):
        raise ValidationError(
            f"The time from {after.since} to {after.until} overlaps that of the baseline “{baseline.name}”, from "
            f"{before.since} to {before.until}. Compare it with a time outside."
        )
    kept = {endpoint: EndpointSums.from_json(stored) for endpoint, stored in baseline.endpoints.items()}
    later = {endpoint: sums for endpoint, sums in sum_up(after, using).items() if sums.units}
    return compare(baseline.name, kept, later, (before, after), margin)
