"""What a statement does, judged from its text. In doubt it writes."""

import re
from enum import Enum
from functools import lru_cache

from psycopg.sql import Composable


class Effect(Enum):
    """READ returns rows and changes nothing; WRITE may change or lock something; CONTROL steers the session."""

    READ = "read"
    WRITE = "write"
    CONTROL = "control"


_LONGEST_REMEMBERED = 4_000
"""Characters. Longer texts are judged each time, so that the memory holds statements and not lists of values."""

_QUOTED = re.compile(
    r"""
      \b[eE]'(?:[^'\\]|\\.|'')*'  # string with escapes
    | '(?:[^']|'')*'              # string
    | "(?:[^"]|"")*"              # identifier
    | \$(\w*)\$.*?\$\1\$          # dollar-quoted string
    | --[^\n]*                    # comment
    | /\*.*?\*/                   # comment
    """,
    re.VERBOSE | re.DOTALL,
)
_READ_VERBS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "SHOW", "FETCH", "MOVE", "DECLARE", "CLOSE"})
_CONTROL_VERBS = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "SET", "RESET", "DISCARD"}
    | {"PREPARE", "EXECUTE", "DEALLOCATE"}
)
_WRITES_WITHIN = re.compile(
    r"""
      \b(?:INSERT|UPDATE|DELETE|MERGE|INTO)\b       # data-modifying WITH, FOR UPDATE, SELECT INTO
    | \bFOR\s+(?:KEY\s+)?SHARE\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CALLS_THAT_WRITE = re.compile(
    r"""
    \b(?:
      # PostgreSQL's own that a standby of version 18 refuses
        nextval | setval | pg_notify | pg_current_xact_id | txid_current
      | lo_(?!get\b)\w+ | lowrite
      | pg_logical_emit_message | pg_create_restore_point | pg_switch_wal | pg_log_standby_snapshot
      | pg_replication_origin_(?:create|drop|advance)
      | pg_import_system_collations | pg_(?:restore|clear)_(?:relation|attribute)_stats
      | brin_(?:summarize|desummarize)_\w+ | gin_clean_pending_list
      # held on one server only, so on a replica they exclude nobody
      | pg_(?:try_)?advisory_\w+
    )\s*\(
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FIRST_WORD = re.compile(r"[\s(]*(\w+)")
_NAME = re.compile(r'"([\w$]+)"')


def effect_of(sql: object) -> Effect:
    """Return what this statement does. `sql` is a string, bytes or a psycopg composable, as a cursor accepts them."""
    text = _text(sql)
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _judge(text)


def outline(sql: object, longest: int = 80) -> str:
    """Return the beginning of a statement without its literals, for messages."""
    plain = " ".join(_QUOTED.sub(lambda found: found[0] if found[0].startswith('"') else "…", _text(sql)).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def _text(sql: object) -> str:
    if isinstance(sql, str):
        return sql
    if isinstance(sql, Composable):
        return sql.as_string(None)
    return bytes(sql).decode(errors="replace") if isinstance(sql, bytes | bytearray | memoryview) else str(sql)


def _judge(text: str) -> Effect:
    if _CALLS_THAT_WRITE.search(_QUOTED.sub(_unquoted, text)):
        return Effect.WRITE
    statements = (statement for statement in _QUOTED.sub(" ", text).split(";") if statement.strip())
    effects = {_judge_one(statement) for statement in statements}
    # What steers the session counts before what reads: sent again elsewhere, it would steer another session.
    return next((effect for effect in (Effect.WRITE, Effect.CONTROL, Effect.READ) if effect in effects), Effect.WRITE)


def _unquoted(found: re.Match[str]) -> str:
    """Return the name that a quoted identifier stands for, and nothing for other quotes, comments and odd names."""
    name = _NAME.fullmatch(found[0])
    return f" {name[1]} " if name else " "


def _judge_one(plain: str) -> Effect:
    found = _FIRST_WORD.match(plain)
    verb = found[1].upper() if found else ""
    if verb in _CONTROL_VERBS:
        return Effect.CONTROL
    return Effect.READ if verb in _READ_VERBS and not _WRITES_WITHIN.search(plain) else Effect.WRITE


_remembered = lru_cache(maxsize=4096)(_judge)
