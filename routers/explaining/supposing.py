"""A read that nobody makes, explained by the stored policy and by how the replicas stand in this process now."""

import time
from dataclasses import dataclass, replace
from typing import Any

from django.db import DatabaseError
from django.db.models import Model

from rollout.conditions import UNDRAWN
from rollout.deny import denying_entry
from rollout.loading import load_policy
from rollout.options import Cluster
from rollout.reasons import Reason
from rollout.settings import Refresh, get_settings, refresh
from routers.explaining.cases import Sight
from routers.explaining.rungs import Explanation, explain
from routers.looking import look_at_servers
from routers.middleware import SAFE_METHODS
from routers.replicas import replicas
from routers.situations import situation_of
from routers.subjects import PlainParty
from routers.tokens import NOTHING, Token
from routers.trail import Trail
from routers.unit import Unit, UnitKind


class NoClusterError(LookupError):
    """The model, or a read of which the model is not known, belongs to no cluster of the READSHIFT setting."""


class DecidingError(Exception):
    """The project's own code, or ours, failed while a read was decided about."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"Deciding about this read failed: {type(error).__name__}: {error}. A read like it goes to the primary, "
            f"with the code {Reason.ROUTER_ERROR.value}, and the log says where it failed."
        )


@dataclass(frozen=True, slots=True)
class SupposedRead:
    """A read at the beginning of a unit that has written nothing, in no block and no transaction.

    model: None if only the endpoint is known. actor: the key that percentages are bucketed by. user: a user object.
    Of the reader, what is None is not known. token: what the answer must show.
    """

    endpoint: str
    model: type[Model] | None = None
    method: str = "GET"
    actor: str | None = None
    user: Any = None
    language: str | None = None
    token: Token = NOTHING


def cluster_of(read: SupposedRead) -> Cluster:
    """Return the cluster whose servers can answer this read. Raises `NoClusterError`."""
    label = read.model._meta.app_label if read.model is not None else ""
    cluster = get_settings().cluster_for_app(label)
    if cluster is not None:
        return cluster
    if read.model is None:
        raise NoClusterError("Each cluster of the READSHIFT setting serves chosen apps only. Name the model as well.")
    raise NoClusterError(
        f"{read.model._meta.label} belongs to no cluster of the READSHIFT setting, so other routers decide about it."
    )


def explain_read(read: SupposedRead, using: str) -> Explanation:
    """Explain where this read would go now. using: the alias of the primary that holds the rules.

    As a read would, it may ask a replica where it stands, on this thread's connection. A process that has not asked the
    servers of late does so first. Raises `NoClusterError`, `DecidingError`, and what the database raises.
    """
    cluster, policy = cluster_of(read), load_policy(using)
    party = PlainParty(
        read.actor,
        dice=UNDRAWN,
        token=read.token,
        language=read.language,
        user=read.user,
        group_ids=_group_ids(read.user),
    )
    unit = Unit(UnitKind.REQUEST, read.endpoint, Trail(party), is_safe=read.method in SAFE_METHODS)
    mode = refresh()
    obstacle = Reason.DISABLED if mode is Refresh.OFF else None
    # The transaction that this code runs in is not one that the read would.
    situation = replace(situation_of(cluster, read.model, unit, None, obstacle), in_transaction=False)
    if mode is Refresh.OFF:
        situation = replace(situation, objection=lambda *_: None)
    elif mode is Refresh.BACKGROUND:
        _get_to_know(cluster)
    sight = Sight(
        settings=get_settings(),
        subject=party,
        method=read.method,
        denied_by=denying_entry(read.model, get_settings().deny) if read.model is not None else "",
        token=read.token,
        standings={replica.alias: replicas.standing(replica.alias) for replica in cluster.replicas}
        if mode is Refresh.BACKGROUND
        else None,
        now=time.monotonic(),
        position_of=lambda floor: replicas.position_of(cluster.primary, floor),
    )
    try:
        return explain(policy, situation, sight)
    except (AssertionError, DatabaseError):
        # As the router does, of Django's test cases; and what breaks the transaction that this code may run in.
        raise
    except Exception as error:
        raise DecidingError(error) from error


def _group_ids(user: Any) -> frozenset[Any]:
    groups = getattr(user, "groups", None)
    return frozenset() if groups is None else frozenset(groups.values_list("pk", flat=True))


def _get_to_know(cluster: Cluster) -> None:
    """Ask the servers how they stand if this process knows nothing about one of them, or nothing that still counts."""
    counts_since = time.monotonic() - get_settings().longest_trust_seconds
    if any(replicas.standing(replica.alias).seen_at < counts_since for replica in cluster.replicas):
        look_at_servers()
