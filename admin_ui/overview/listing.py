"""The rules that somebody asks for: filtered, those that need attention first, and a page of them at a time. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.core.paginator import Paginator
from django.utils.http import urlencode

from admin_ui.drawing.windows import DEFAULT_MINUTES, parse_minutes
from admin_ui.overview.rows import RuleRow
from rollout.models import Mode, RoutingRule

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for. text: in the name, the gate, the pool or the note. mode: one of `Mode`, or empty for any.

    needs_attention: those alone. page: from 1; one that there is not stands for the nearest.
    """

    text: str = ""
    mode: str = ""
    needs_attention: bool = False
    page: int = 1
    minutes: int = DEFAULT_MINUTES

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read it from an address, taking nothing for granted."""
        page, mode = str(fields.get("page", "")), str(fields.get("mode", ""))
        return cls(
            text=str(fields.get("q", "")).replace("\0", "").strip(),
            mode=mode if mode in Mode.values else "",
            needs_attention=fields.get("attention") == "1",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,  # noqa: PLR2004 - digits
            minutes=parse_minutes(str(fields.get("minutes", ""))),
        )

    @property
    def query(self) -> str:
        """The part of an address that asks for it."""
        fields = {
            "minutes": self.minutes if self.minutes != DEFAULT_MINUTES else "",
            "q": self.text,
            "mode": self.mode,
            "attention": "1" if self.needs_attention else "",
            "page": self.page if self.page > 1 else "",
        }
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.text or self.mode or self.needs_attention)

    def at(self, page: int) -> Self:
        """Return the same on another page."""
        return replace(self, page=page)

    def within(self, minutes: int) -> Self:
        """Return the same for another length of time."""
        return replace(self, minutes=minutes)

    def finds(self, rule: RoutingRule) -> bool:
        """Say whether text and mode fit a rule."""
        if self.mode and rule.mode != self.mode:
            return False
        if not self.text:
            return True
        words = (str(rule), rule.gate_name, rule.pool, rule.note)
        return any(self.text.casefold() in one.casefold() for one in words)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rules. total: of all there are. count: of those that were asked for. page, pages: from 1."""

    rules: tuple[RoutingRule, ...]
    total: int
    count: int
    needing_attention: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of rules in rows, with what was asked for."""

    search: Search
    found: Found
    rows: tuple[RuleRow, ...]

    @property
    def modes(self) -> tuple[str, ...]:
        """What can be asked for."""
        return tuple(Mode.values)

    @property
    def previous(self) -> str:
        """Asks for the page before, or is empty."""
        return f"?{self.search.at(self.found.page - 1).query}" if self.found.page > 1 else ""

    @property
    def next(self) -> str:
        """Asks for the page after this one, or is empty."""
        return f"?{self.search.at(self.found.page + 1).query}" if self.found.page < self.found.pages else ""


def find(rules: Sequence[RoutingRule], needy: Collection[int], search: Search, per_page: int = PER_PAGE) -> Found:
    """Return the page that was asked for, rules that need attention first. needy: the ids of those."""
    chosen = [rule for rule in rules if search.finds(rule) and (rule.pk in needy or not search.needs_attention)]
    chosen.sort(key=lambda rule: rule.pk not in needy)
    page = Paginator(chosen, per_page).get_page(search.page)
    return Found(
        rules=tuple(page.object_list),
        total=len(rules),
        count=len(chosen),
        needing_attention=sum(rule.pk in needy for rule in rules),
        page=page.number,
        pages=page.paginator.num_pages,
    )
