"""What the buttons beside a replica ask for: to drain it, and to let it serve again."""

from collections.abc import Iterator
from datetime import datetime

from django.core.exceptions import ValidationError

from admin_ui.drawing.figures import percent, share_of
from admin_ui.operating.actions import Step
from admin_ui.replicas.board import Board, ReplicaRow
from admin_ui.replicas.sight import see_replicas
from rollout import exposure, operations
from rollout.loading import load_policy
from rollout.models import DrainedReplica
from rollout.policy import Policy


def drain_step(alias: str, by: str, reason: str, now: datetime, using: str) -> Step:
    """Plan taking a replica out of service."""
    change = operations.plan_drain(alias, using, reason)
    board = see_replicas(now, using, has_rules=True)
    row = board.row(alias)
    if row is not None and row.drain is not None:
        raise ValidationError(f"The replica “{alias}” {row.drain.words} already, so nothing was changed.")
    return Step(
        change,
        effects=(),
        apply=lambda: operations.drain(alias, by, reason, using),
        subject=lambda: DrainedReplica.objects.using(using).get(alias=alias),
        warning=_warning(row) if row is not None and row.is_last else "",
    )


def undrain_step(alias: str, now: datetime, using: str) -> Step:
    """Plan letting a replica serve again. Call it in a transaction: the row stays locked until the end of it."""
    drained = {row.alias: row for row in DrainedReplica.objects.using(using).select_for_update()}.get(alias)
    if drained is None:
        raise ValidationError(f"The replica “{alias}” is not drained, so nothing was changed. Reload the dashboard.")
    board = see_replicas(now, using, has_rules=True)
    return Step(
        operations.plan_undrain(alias, using),
        effects=(),
        apply=lambda: operations.undrain(alias, using),
        subject=lambda: drained,
        question=f"Let {alias} serve again?",
        words=tuple(_consequences(alias, board, load_policy(using))),
    )


def _warning(row: ReplicaRow) -> str:
    return f"No replica of the pool “{row.pool}” serves any more, so all its reads go to the primary."


def _consequences(alias: str, board: Board, policy: Policy) -> Iterator[str]:
    """Say what letting this replica serve again does to traffic."""
    cluster = next((one for one in board.clusters if alias in {row.alias for row in one.replicas}), None)
    row = board.row(alias)
    if cluster is None or row is None:
        yield f"“{alias}” is no replica of the READSHIFT setting any more, so no read moves. It is no longer listed."
        return
    yield (
        f"Each process lets it serve reads of the pool “{row.pool}” again as soon as it finds it fit. As the process "
        f"that shows this page sees it, it {row.words}."
    )
    others = (one.weight for one in cluster.replicas if one.pool == row.pool and one.drain is None)
    if not row.weight:
        yield "Its weight in the READSHIFT setting is 0, so still no read goes to it."
    else:
        share = percent(share_of(row.weight, row.weight + sum(others)))
        yield f"About {share} of the actors whose reads go to that pool will read from it."
    shares = ((rule, exposure.of_rule(rule)) for rule in policy.rules if rule.pool == row.pool)
    routed = [f"{rule} ({share})" for rule, share in shares if not share.is_nobody]
    yield f"Rules that send reads to it: {', '.join(routed)}." if routed else "No rule sends reads to that pool yet."
