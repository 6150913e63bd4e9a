"""The list of compared reads, with what there is to choose from. The number of queries does not depend on the reads."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from admin_ui.overview.shadows import ShadowLine, shadow_lines
from admin_ui.places import Place
from admin_ui.shadow_pages.choices import Choices, read_choices
from admin_ui.shadow_pages.filters import Asked, Filters, parse, reads_asked_for
from admin_ui.shadow_pages.paging import place_of, read_slice
from admin_ui.shadow_pages.words import cause_label, moment, needs_look, outcome_words, took
from rollout.models import RoutingRule, ShadowRead
from tasks.reporting.verdicts import Judgement

_GRAVEST_FIRST = [Judgement.LOOK, Judgement.WAIT, Judgement.SAFE]
_IN_SIGHT = 6
_UNSHOWN = ("sealed", "details")
"""What a list says nothing of, and what can be large."""


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """One rule with the verdict on its shadow reads of a week. address: that of the list of them."""

    rule: str
    address: str
    is_chosen: bool
    line: ShadowLine


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One compared read, in words, which are empty where there is nothing to say.

    code: of the outcome. look: who has looked at it. needs_look: it needs a look and had none.
    """

    pk: int
    compared: str
    code: str
    outcome: str
    cause: str
    endpoint: str
    model: str
    statement: str
    replica: str
    staleness: str
    primary_took: str
    replica_took: str
    look: str
    needs_look: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """asked: what the address asks for. newest: where the list begins; None if it is empty.

    newer, older: addresses of the pages beside this one, or empty.
    """

    asked: Asked
    verdicts: tuple[RuleVerdict, ...]
    choices: Choices
    rows: tuple[ReadRow, ...]
    newest: Place | None
    newer: str
    older: str

    @property
    def first_verdicts(self) -> tuple[RuleVerdict, ...]:
        """Those of the gravest, which are always in sight."""
        return self.verdicts[:_IN_SIGHT]

    @property
    def other_verdicts(self) -> tuple[RuleVerdict, ...]:
        return self.verdicts[_IN_SIGHT:]


def read_listing(query: Mapping[str, str], now: datetime, using: str) -> Listing:
    """Read everything from one alias, as the address asks for it."""
    rules = list(RoutingRule.objects.using(using))
    asked = parse(query, rules)
    wanted = reads_asked_for(asked, now, using).defer(*_UNSHOWN)
    found = read_slice(wanted, query.get("before", ""), query.get("after", ""))
    return Listing(
        asked=asked,
        verdicts=tuple(_verdicts(rules, asked.filters, shadow_lines(rules, now, using))),
        choices=read_choices(asked, rules, now, using),
        rows=tuple(map(_row, found.reads)),
        newest=place_of(found.reads[0]) if found.reads else None,
        newer=f"{asked.filters.address}&after={found.newer}" if found.newer else "",
        older=f"{asked.filters.address}&before={found.older}" if found.older else "",
    )


def _verdicts(rules: Iterable[RoutingRule], filters: Filters, lines: Mapping[int, ShadowLine]) -> Iterator[RuleVerdict]:
    judged = [(rule, lines[rule.pk]) for rule in rules if rule.pk in lines]
    for rule, line in sorted(judged, key=lambda one: _GRAVEST_FIRST.index(Judgement(one[1].judgement))):
        chosen = str(rule.pk)
        yield RuleVerdict(str(rule), Filters(rule=chosen).address, filters.rule == chosen, line)


def _row(read: ShadowRead) -> ReadRow:
    return ReadRow(
        pk=read.pk,
        compared=moment(read.compared_at),
        code=read.outcome,
        outcome=outcome_words(read.outcome),
        cause=cause_label(read.cause),
        endpoint=read.endpoint,
        model=read.model,
        statement=read.statement,
        replica=read.replica,
        staleness=took(read.staleness_ms),
        primary_took=took(read.primary_ms),
        replica_took=took(read.replica_ms),
        look="" if read.looked_at is None else f"by {read.looked_by or 'somebody'}",
        needs_look=read.looked_at is None and needs_look(read.outcome),
    )
