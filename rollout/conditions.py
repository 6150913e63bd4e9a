"""What opens a gate, one condition after the other, in words with values. Pure, apart from what a custom flag costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rollout.bucketing import BUCKETS, bucket
from rollout.gates import FlagGate, Gate, SampleGate, Subject, SwitchGate

UNDRAWN = BUCKETS - 1
"""The dice of a subject that stands for no unit in particular: samples of less than 100 percent leave it out."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that opens a gate. holds: whether it does for the subject; None where that is not known."""

    words: str
    holds: bool | None


def conditions_of(gate: Gate, subject: Subject) -> tuple[Condition, ...]:
    """Return what opens this gate, and whether it does for a subject whose dice are `UNDRAWN`.

    The gate is open exactly if one of them holds. What the subject has no value for, such as a language, is not known.
    """
    match gate:
        case FlagGate(everyone=None):
            found = tuple(_of_flag(gate, subject))
            return found or (Condition("It is open for nobody: no percentage, user or language is set.", False),)
        case FlagGate(everyone=is_open):
            words = "It is open for everyone." if is_open else "It is closed for everyone."
            return (Condition(words, is_open),)
        case SwitchGate(active=is_open):
            return (Condition("It is on." if is_open else "It is off.", is_open),)
        case SampleGate(threshold=threshold):
            return (_of_sample(threshold),)
    # A kind of gate that this module does not know says no more than whether it is open.
    return (Condition("It says so itself.", gate.is_open(subject)),)


def _of_sample(threshold: int) -> Condition:
    holds = threshold >= BUCKETS if threshold in {0, BUCKETS} else None
    return Condition(f"It is open for {_percent(threshold)} of the units, drawn anew for each.", holds)


def _of_flag(gate: FlagGate, subject: Subject) -> Iterator[Condition]:
    if gate.languages:
        named = ", ".join(sorted(gate.languages))
        has = "which is not given" if subject.language is None else f"which is “{subject.language}”"
        holds = None if subject.language is None else subject.language in gate.languages
        yield Condition(f"It is open for the languages {named}: compared with the reader's, {has}.", holds)
    verdict = None
    if gate.custom is not None:
        is_open = bool(gate.languages) and subject.language in gate.languages
        verdict = None if subject.user is None or is_open else gate.custom(subject.user)
        yield _of_custom_model(verdict, is_known=subject.user is not None)
    elif subject.user is None:
        yield from (Condition(f"{words}: no user is given.", None) for words in _audiences(gate))
    else:
        yield from _of_user(gate, subject)
    if gate.threshold and verdict is None:
        yield _of_share(gate, subject)


def _of_custom_model(verdict: bool | None, *, is_known: bool) -> Condition:
    if not is_known:
        return Condition("Its model has a rule of its own for users: no user is given.", None)
    says = "leaves it to the percentage" if verdict is None else f"says {'yes' if verdict else 'no'}"
    return Condition(f"Its model has a rule of its own for users, which {says}.", bool(verdict))


def _audiences(gate: FlagGate) -> Iterator[str]:
    if gate.authenticated:
        yield "It is open for everybody who is logged in"
    if gate.staff:
        yield "It is open for staff"
    if gate.superusers:
        yield "It is open for superusers"
    if gate.user_ids:
        yield f"It is open for {_count(len(gate.user_ids), 'chosen user')}"
    if gate.group_ids:
        yield f"It is open for {_count(len(gate.group_ids), 'group')}"


def _of_user(gate: FlagGate, subject: Subject) -> Iterator[Condition]:
    user = subject.user
    belongs = (
        (gate.authenticated, bool(user.is_authenticated)),
        (gate.staff, bool(getattr(user, "is_staff", False))),
        (gate.superusers, bool(getattr(user, "is_superuser", False))),
        (gate.user_ids, user.pk in gate.user_ids),
        (gate.group_ids, bool(gate.group_ids & subject.group_ids)),
    )
    asked = (holds for audience, holds in belongs if audience)
    for words, holds in zip(_audiences(gate), asked, strict=True):
        yield Condition(f"{words}: the user {'is' if holds else 'is not'} one of them.", holds)


def _of_share(gate: FlagGate, subject: Subject) -> Condition:
    share = f"It is open for {_percent(gate.threshold)} of the actors, the buckets below {gate.threshold:,}"
    if subject.actor is None:
        return Condition(f"{share}: no actor is given.", None)
    number = bucket(gate.name, subject.actor)
    holds = number < gate.threshold
    return Condition(
        f"{share}: the actor's bucket is {number:,} of {BUCKETS:,}, which is {'below' if holds else 'not below'}.",
        holds,
    )


def _percent(threshold: int) -> str:
    return f"{(Decimal(threshold * 100) / BUCKETS).normalize():f} %"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
