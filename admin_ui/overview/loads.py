"""How much each replica serves, beside how far it is behind. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from admin_ui.overview.distribution import DatabaseReads
from admin_ui.replicas.board import Board, ReplicaRow


@dataclass(frozen=True, slots=True)
class Load:
    """One replica. share: of all reads of the window. per_second: in words, within the last bucket that is full."""

    row: ReplicaRow
    colour: str
    share: Decimal
    per_second: str


@dataclass(frozen=True, slots=True)
class LoadedCluster:
    """One primary, and the loads of its replicas in the order of the setting."""

    primary: str
    loads: tuple[Load, ...]


def loaded_clusters(board: Board, databases: Iterable[DatabaseReads]) -> tuple[LoadedCluster, ...]:
    """Put what each replica serves beside how it stands. databases: with every replica of the setting."""
    reads = {one.alias: one for one in databases}
    return tuple(
        LoadedCluster(cluster.primary, tuple(_load(row, reads[row.alias]) for row in cluster.replicas))
        for cluster in board.clusters
    )


def _load(row: ReplicaRow, reads: DatabaseReads) -> Load:
    return Load(row, reads.colour, reads.share, f"{reads.per_second:.1f}")
