"""The rungs that ask whether a replica may serve, and which, in words. Pure."""

import math
from collections.abc import Iterator, Sequence

from rollout.bucketing import rank
from rollout.contracts import Contract, Freshness
from rollout.models.rule import OverBudget
from routers.decisions import Terms
from routers.explaining.cases import Case, Sight
from routers.health import Standing
from routers.lag import LagState
from routers.positions import Position

_CONTRACTS = {
    Freshness.STRICT: "what the primary shows, and so the primary alone",
    Freshness.SESSION: "nothing older than what the actor has written or seen",
    Freshness.ANY: "whatever a replica shows, however old",
}


def contract(case: Case, terms: Terms) -> Iterator[str]:
    yield f"{terms.contract}: {_words(terms.contract)}."
    if len(case.rules) > 1:
        yield "The strictest of those that apply counts."
    yield from (rule.contract_error for rule in case.rules if rule.contract_error)


def _words(contract: Contract) -> str:
    if contract.freshness is Freshness.BOUNDED:
        return f"{_CONTRACTS[Freshness.SESSION]}, and nothing older than {contract.seconds:g} s"
    return _CONTRACTS[contract.freshness]


def pool(case: Case, terms: Terms) -> Iterator[str]:
    members = [replica for replica in case.situation.cluster.replicas if replica.pool == terms.pool]
    if not members:
        yield f"The pool “{terms.pool}” has no replica."
        return
    yield f"The pool “{terms.pool}” has {', '.join(f'{one.alias} (weight {one.weight})' for one in members)}."
    drained = [replica.alias for replica in members if replica.alias not in terms.weights]
    if drained:
        yield f"Drained: {', '.join(drained)}."


def replica(case: Case, terms: Terms) -> Iterator[str]:
    situation = case.situation
    left = {alias: weight for alias, weight in terms.weights.items() if not situation.is_gone(alias)}
    order = rank(left, situation.affinity)
    kept = situation.kept.get(terms.pool)
    if kept in left:
        yield f"{kept} has served this unit before, and goes on to."
    elif case.sight.subject.actor is None:
        yield f"No actor is given. Which replica it is depends on the actor; for this answer it is {order[0]}."
    else:
        yield f"This actor keeps to {order[0]}{_next(order[1:])}."
    gone = sorted(terms.weights.keys() - left.keys())
    yield from (f"{alias} is out for all processes, so others stand in for it." for alias in gone)
    yield from _floors(case, (*order, *gone))
    if case.sight.standings is None:
        yield "This process asks no server how it stands, so each replica is taken to be fit."
        return
    for alias in (*order, *gone):
        yield f"{alias} {_standing(case.sight.standings[alias], case.sight)}."


def _next(aliases: Sequence[str]) -> str:
    return f", then to {', then to '.join(aliases)}" if aliases else ""


def _standing(standing: Standing, sight: Sight) -> str:
    """Return how a replica stands as this process sees it, to continue its name."""
    if standing.seen_at > -math.inf and sight.now - standing.seen_at > sight.settings.longest_trust_seconds:
        return f"has not been heard of for {sight.now - standing.seen_at:.1f} s"
    position = f", at {standing.position}" if standing.position is not None else ""
    detail = f" ({standing.detail})" if standing.detail else ""
    lag = standing.lag
    if lag.state is LagState.CURRENT:
        behind = ", and shows all that the primary had when last asked"
    elif lag.seconds is not None:
        behind = f", at most {lag.seconds:.1f} s behind"
    else:
        behind = ""
    return f"{standing.fitness.words}{detail}{position}{behind}"


def _floors(case: Case, aliases: Sequence[str]) -> Iterator[str]:
    token, primary = case.sight.token, case.situation.cluster.primary
    if not token:
        yield "Nothing is known of what the actor wrote or saw, so nothing has to be shown."
        return
    if token.is_foreign:
        yield "The token is not ours, so only the primary is sure to be right."
    if primary in token.pins:
        yield "The actor wrote where no position is known, so only the primary will do."
    for floor in token.floors_of(primary):
        wanted = case.sight.position_of(floor)
        where = f"position {wanted}" if wanted is not None else "a position that is not known yet"
        yield f"The actor must be shown everything up to {where}."
        if wanted is not None and case.sight.standings is not None:
            standings = case.sight.standings
            yield from (f"{alias} {_reach(standings[alias], wanted)}." for alias in aliases)


def _reach(standing: Standing, wanted: Position) -> str:
    is_reached = standing.position is not None and wanted.is_reached_by(standing.position)
    return f"{'had' if is_reached else 'had not'} reached it when last asked"


_OVER_BUDGET = {
    OverBudget.PRIMARY.value: "the primary is read all the same",
    OverBudget.STALE.value: "a replica answers although it is too far behind or lacks what the actor wrote",
    OverBudget.SHED.value: "the read is refused, with 503 and Retry-After",
}


def budget(case: Case, terms: Terms) -> Iterator[str]:
    share, concurrency = case.sight.settings.fallback_share, case.sight.settings.fallback_concurrency
    if share is None and concurrency is None:
        yield "The primary takes over every read that no replica may serve: no budget is set."
        return
    if share is not None:
        yield f"Reads of at most {share:.1%} of a process's routed units fall back to the primary."
    if concurrency is not None:
        yield f"A process runs at most {concurrency:,} such reads on the primary at once."
    yield f"Beyond that, {_OVER_BUDGET[terms.over_budget]}."
