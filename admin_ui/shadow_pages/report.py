"""One shadow read as its page shows it, read in three queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from admin_ui.commands.shadow_forms import rules_of
from admin_ui.shadow_pages.differences import Difference, Sight, read_difference
from admin_ui.shadow_pages.expiry import expiry_of, is_expired
from admin_ui.shadow_pages.filters import Filters
from admin_ui.shadow_pages.recipes import Recipe, recipe_for
from admin_ui.shadow_pages.repeating import again_words
from admin_ui.shadow_pages.sides import Side, sides_of
from admin_ui.shadow_pages.words import cause_label, moment, needs_look, outcome_label, took
from rollout.looks import taken_together
from rollout.models import RoutingRule, ShadowRead, ShadowState
from rollout.reasons import Reason
from rollout.settings import get_settings
from tasks.comparing.repeats import is_asked

Facts = tuple[tuple[str, str], ...]
"""Names and values, of which none is empty."""


@dataclass(frozen=True, slots=True)
class Look:
    """Who has looked at a read, when, and what they noted. others: reads that were marked together with it."""

    by: str
    at: str
    note: str
    others: int


@dataclass(frozen=True, slots=True)
class RuleLink:
    """A rule that a read counts for. address: that of the list of its reads."""

    rule: RoutingRule
    address: str


@dataclass(frozen=True, slots=True)
class Report:
    """outcome, cause: in full. code: of the outcome. is_open: it was not compared yet, for which `outcome` says why.

    facts: what was read. sides: what each server said.
    again: what is known of a further comparison, or empty. may_ask: whether one can be asked for.
    keeping: what is kept of values and until when. recipe: None once the statement is not kept any more.
    alike: the address of the list of reads that ended likewise.
    """

    pk: int
    outcome: str
    code: str
    cause: str
    is_open: bool
    rules: tuple[RuleLink, ...]
    facts: Facts
    statement: str
    sides: tuple[Side, ...]
    difference: Difference
    keeping: str
    recipe: Recipe | None
    again: str
    may_ask: bool
    look: Look | None
    needs_look: bool
    alike: str


def read_report(pk: int, now: datetime, using: str, *, may_see_values: bool) -> Report | None:
    """Read one shadow read, or None if there is none of this id.

    may_see_values: whether values are shown of the columns that the host allows. Nobody sees them once they are due to
    be forgotten, even if nothing has run since then that forgets them.
    """
    read = ShadowRead.objects.using(using).filter(pk=pk).first()
    if read is None:
        return None
    rules = rules_of(read, using)
    sight = _sight(read, now, may_see_values=may_see_values)
    is_open = read.state != ShadowState.DONE
    recipe = None if read.sealed is None or is_expired(read, now) else recipe_for(read.pk, read.statement)
    ended = {"outcome": read.outcome, "cause": read.cause}
    return Report(
        pk=read.pk,
        outcome=str(ShadowState(read.state).label) if is_open else outcome_label(read.outcome),
        code=read.outcome,
        cause=cause_label(read.cause),
        is_open=is_open,
        rules=tuple(RuleLink(rule, Filters(rule=str(rule.pk)).address) for rule in rules),
        facts=tuple((name, value) for name, value in _facts(read) if value),
        statement=read.statement,
        sides=tuple(sides_of(read)),
        difference=read_difference(read.details, sight),
        keeping=_keeping(read, now),
        recipe=recipe,
        again=again_words(read, now),
        may_ask=recipe is not None and not is_open and not is_asked(read, now),
        look=_look(read, using),
        needs_look=read.looked_at is None and needs_look(read.outcome),
        alike=Filters(rule=str(rules[0].pk) if rules else "", span="all", **ended).address,
    )


def _sight(read: ShadowRead, now: datetime, *, may_see_values: bool) -> Sight:
    if is_expired(read, now):
        return Sight.EXPIRED
    return Sight.SHOWN if may_see_values else Sight.WITHHELD


def _facts(read: ShadowRead) -> Iterator[tuple[str, str]]:
    yield "Endpoint", read.endpoint
    yield "Model", read.model
    yield "Captured", f"{moment(read.captured_at)}, answered by {read.alias} ({_reason(read.reason)})"
    yield "Compared", moment(read.compared_at)
    yield "Cluster and pool", f"{read.cluster}, {read.pool}"
    yield "Fingerprint", read.fingerprint
    yield "Staleness", _staleness(read)
    yield "Attempts", _attempts(read)


def _staleness(read: ShadowRead) -> str:
    if read.staleness_ms is None:
        return ""
    return f"{took(read.staleness_ms)} after the primary, the replica gave the same answer"


def _attempts(read: ShadowRead) -> str:
    brackets = read.details.get("brackets")
    times = f"claimed by a worker {read.tries}\N{MULTIPLICATION SIGN}" if read.tries else ""
    looked = f"looked at again {brackets}\N{MULTIPLICATION SIGN}" if isinstance(brackets, int) and brackets else ""
    return ", ".join(filter(None, (times, looked)))


def _reason(code: str) -> str:
    return Reason(code).label if code in set(Reason) else code


def _keeping(read: ShadowRead, now: datetime) -> str:
    days = get_settings().shadow_values_days
    if is_expired(read, now):
        return (
            f"The statement with its parameters and the values of columns are not kept any more: "
            f'they went after READSHIFT["SHADOW_VALUES_DAYS"] = {days:g} days.'
        )
    if read.sealed is None:
        return "The statement is not kept with its parameters: it goes as soon as the servers agree."
    if read.state != ShadowState.DONE:
        return "The statement is kept with its parameters, encrypted, until it was compared."
    return (
        f"The statement is kept with its parameters, encrypted, until {moment(expiry_of(read))}, and so are the values "
        f'of columns in READSHIFT["SHADOW_COLUMNS"]. Of all other values there are keyed hashes.'
    )


def _look(read: ShadowRead, using: str) -> Look | None:
    if read.looked_at is None:
        return None
    others = taken_together(read, using).count() - 1
    return Look(read.looked_by or "somebody", moment(read.looked_at), read.look_note, others)
