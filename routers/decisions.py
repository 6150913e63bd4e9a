"""The decision: where a read goes, why, and what was asked of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Model

from rollout.contracts import Contract
from rollout.models.rule import OverBudget
from rollout.policy import Rule
from rollout.reasons import Reason


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules and blocks that apply ask of a read.

    pool: the group of replicas that it belongs to. weights: those of the group that are not drained, by alias.
    contract: how old the answer may be. over_budget: one of `OverBudget`. captured_by: the rules that have reads
    captured for comparison. let_go_by: the rules that have sent it to a replica.
    """

    pool: str
    weights: Mapping[str, int]
    contract: Contract
    over_budget: str = OverBudget.PRIMARY.value
    captured_by: tuple[Rule, ...] = ()
    let_go_by: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a read goes and why.

    candidate: the replica that would have served an observed read, or empty.
    is_displaced: whether the primary serves a read here that rules or code had let go to a replica.
    terms: what was asked of it; None where nothing led it to a replica.
    kept_by: the rule whose gate, and nothing else that rules say, keeps it on the primary; or None.
    """

    alias: str
    reason: Reason
    candidate: str = ""
    is_displaced: bool = False
    terms: Terms | None = field(default=None, compare=False)
    kept_by: Rule | None = field(default=None, compare=False)

    @property
    def falls_back(self) -> bool:
        """Whether the primary takes the load of a read that a replica was meant to serve, and did not."""
        return self.is_displaced and self.reason.blames_replicas


@dataclass(slots=True, eq=False)
class Asked:
    """The router's answer for a model, under which the queries that follow are counted.

    statements: how many have followed since it was given last. The ORM asks before each, unless code names the alias
    itself. quoted: the model's table as the ORM writes it.
    """

    model: type[Model]
    decision: Decision
    statements: int = field(default=0, init=False)
    quoted: str = field(init=False)

    def __post_init__(self) -> None:
        self.quoted = f'"{self.model._meta.db_table}"'

    @property
    def is_fresh(self) -> bool:
        """Whether no statement has followed since it was given last."""
        return self.statements == 0

    def precedes(self, sql: object) -> bool:
        """Say whether a statement follows this answer, and take that down.

        It names the table, and quotes it or is the first since then: the ORM quotes names; `raw()` runs what a person
        wrote.
        """
        is_fresh = self.is_fresh
        is_about = isinstance(sql, str) and (self.quoted in sql or (is_fresh and self._is_named_in(sql)))
        self.statements += is_about
        return is_about

    def _is_named_in(self, sql: str) -> bool:
        return re.search(rf"\b{re.escape(self.model._meta.db_table)}\b", sql) is not None
