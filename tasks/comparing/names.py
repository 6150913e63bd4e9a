"""The names that a statement's text holds: what it may call, and what it may read from."""

import re
from dataclasses import dataclass

from routers.statements import without_literals

KEYWORD_FUNCTIONS = frozenset(
    {"current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp"}
    | {"current_user", "localtime", "localtimestamp", "session_user", "system_user", "user"}
)
"""Functions that are called without parentheses. All are stable (PostgreSQL: "Date/Time Functions", "Session
Information Functions")."""

_LONGEST_NAME = 63  # bytes

_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_IDENTIFIER = re.compile(rf"(?:{_QUOTED.pattern}|[^\W\d][\w$]*)")
_CHAIN = re.compile(rf"(?P<chain>{_IDENTIFIER.pattern}(?:\s*\.\s*{_IDENTIFIER.pattern})*)(?P<call>\s*\()?")
_KEYWORD = re.compile(rf"(?<![\w$.])(?:{'|'.join(KEYWORD_FUNCTIONS)})(?![\w$.])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as the catalogue has it. schema is None where the search path says what is meant."""

    schema: str | None
    name: str

    def may_be(self, schema: str, name: str) -> bool:
        """Say whether it may stand for what has this name in this schema."""
        return self.name == name and self.schema in {None, schema}


def functions_in(query: bytes | str) -> frozenset[Name]:
    """Return what this statement may call: each name before a parenthesis, and keywords that are calls without one.

    Keywords such as IN and VALUES, types with a length and queries of a WITH are among them, so the catalogue has the
    last word on what is a function.
    """
    text = without_literals(query)
    calls = {_name(found) for found in _CHAIN.finditer(text) if found["call"]}
    return frozenset(calls | {Name(None, found[0].lower()) for found in _KEYWORD.finditer(_QUOTED.sub('"', text))})


def relations_in(query: bytes | str) -> frozenset[Name]:
    """Return what this statement may read from: every name that is no call, columns and keywords among them."""
    return frozenset(_name(found) for found in _CHAIN.finditer(without_literals(query)) if not found["call"])


def words_in(query: bytes | str) -> frozenset[str]:
    """Return every word and every part of a name, as the catalogue would have it."""
    return frozenset(_fold(found[0]) for found in _IDENTIFIER.finditer(without_literals(query)))


def _name(found: re.Match[str]) -> Name:
    schema, name = [None, *(_fold(part[0]) for part in _IDENTIFIER.finditer(found["chain"]))][-2:]
    return Name(schema, name or "")


def _fold(identifier: str) -> str:
    """Return an identifier as the server stores it, which knows no letter case but that of ASCII."""
    stored = identifier[1:-1].replace('""', '"').encode() if identifier[0] == '"' else identifier.encode().lower()
    return stored[:_LONGEST_NAME].decode(errors="ignore")
