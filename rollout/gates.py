"""Gates: whether a rule is on for the one being served. Pure, apart from what a user's groups cost to look up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol, Self

from rollout.bucketing import bucket, threshold

NOBODY = Decimal(0)
EVERYBODY = Decimal(100)


class Subject(Protocol):
    """Who is being served. The properties are computed when a gate asks for them, and not before.

    actor: the key that percentages are bucketed by; None for a unit that serves nobody in particular.
    dice: a bucket drawn once for the unit, for samples, which are not sticky.
    language: the active language's code, or None outside a request.
    user: the request's user once it is known, or None outside a request.
    group_ids: the primary keys of the user's groups.
    """

    @property
    def actor(self) -> str | None: ...
    @property
    def dice(self) -> int: ...
    @property
    def language(self) -> str | None: ...
    @property
    def user(self) -> Any: ...
    @property
    def group_ids(self) -> frozenset[Any]: ...


class Gate(Protocol):
    """The compiled form of a waffle flag, switch or sample."""

    def is_open(self, subject: Subject) -> bool: ...

    def at(self, percent: Decimal) -> Self:
        """Return this gate as it is once it lets a percentage of actors through."""
        ...


@dataclass(frozen=True, slots=True)
class FlagGate:
    """A waffle flag. All conditions but the percentage keep waffle's meaning; any one of them opens the gate.

    threshold: the buckets that the percentage opens, see `rollout.bucketing.threshold`.
    custom: the `is_active_for_user` of a custom flag model that overrides it. As in waffle, its True or False decides
        before the percentage, and None leaves it to the percentage. It may query, once per unit.
    """

    name: str
    everyone: bool | None = None
    threshold: int = 0
    superusers: bool = False
    staff: bool = False
    authenticated: bool = False
    languages: frozenset[str] = frozenset()
    user_ids: frozenset[Any] = frozenset()
    group_ids: frozenset[Any] = frozenset()
    custom: Callable[[Any], bool | None] | None = None

    def at(self, percent: Decimal) -> Self:
        if percent in {NOBODY, EVERYBODY}:
            return replace(self, everyone=percent == EVERYBODY)
        return replace(self, everyone=None, threshold=threshold(percent))

    @property
    def is_targeted(self) -> bool:
        """Whether it opens for chosen users or languages besides a share of actors."""
        return self._targets_users or bool(self.languages) or self.custom is not None

    def is_open(self, subject: Subject) -> bool:
        if self.everyone is not None:
            return self.everyone
        if self.custom is not None:
            return self._is_open_by_custom_model(self.custom, subject)
        # The percentage first: it is the only condition that costs nothing to look up, and the order changes no answer.
        return (
            self._is_open_for_share(subject)
            or self._is_open_for_language(subject)
            or (self._targets_users and self._is_open_for_user(subject))
        )

    def _is_open_for_share(self, subject: Subject) -> bool:
        return bool(self.threshold) and subject.actor is not None and bucket(self.name, subject.actor) < self.threshold

    def _is_open_for_language(self, subject: Subject) -> bool:
        return bool(self.languages) and subject.language in self.languages

    def _is_open_by_custom_model(self, custom: Callable[[Any], bool | None], subject: Subject) -> bool:
        if self._is_open_for_language(subject):
            return True
        verdict = None if subject.user is None else custom(subject.user)
        return self._is_open_for_share(subject) if verdict is None else verdict

    @property
    def _targets_users(self) -> bool:
        return bool(self.superusers or self.staff or self.authenticated or self.user_ids or self.group_ids)

    def _is_open_for_user(self, subject: Subject) -> bool:
        user = subject.user
        if user is None:
            return False
        return bool(
            (self.authenticated and user.is_authenticated)
            or (self.staff and getattr(user, "is_staff", False))
            or (self.superusers and getattr(user, "is_superuser", False))
            or user.pk in self.user_ids
            or (self.group_ids and self.group_ids & subject.group_ids)
        )


@dataclass(frozen=True, slots=True)
class SwitchGate:
    """A waffle switch: on or off for everybody."""

    name: str
    active: bool

    def at(self, percent: Decimal) -> Self:
        return replace(self, active=percent == EVERYBODY)

    def is_open(self, subject: Subject) -> bool:  # noqa: ARG002 - a switch asks nobody
        return self.active


@dataclass(frozen=True, slots=True)
class SampleGate:
    """A waffle sample: a share of units, drawn anew for each, and the same answer throughout one unit."""

    name: str
    threshold: int

    def at(self, percent: Decimal) -> Self:
        return replace(self, threshold=threshold(percent))

    def is_open(self, subject: Subject) -> bool:
        return subject.dice < self.threshold
