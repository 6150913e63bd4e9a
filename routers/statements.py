"""What a statement does and what shape it has, judged from its text. In doubt it writes."""

import re
from enum import Enum
from functools import lru_cache
from hashlib import blake2b

from psycopg.sql import Composable


class Effect(Enum):
    """READ returns rows and changes nothing; WRITE may change or lock something; CONTROL steers the session."""

    READ = "read"
    WRITE = "write"
    CONTROL = "control"


_LONGEST_REMEMBERED = 4_000
"""Characters. Longer texts are judged each time, so that the memory holds statements and not lists of values."""

# Each alternative begins with a character of its own, since those are what `re` finds fast in a long text.
_OPAQUE = re.compile(
    r"""
      "[^"]*(?:""[^"]*)*"                                               # identifier
    | '(?:(?<=\b[eE]')(?:[^'\\]|\\.|'')*|(?<!\b[eE]')[^']*(?:''[^']*)*)'  # string, with escapes after an E
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$                                    # dollar-quoted string
    | --[^\n]*                                                          # comment
    | /\*.*?\*/                                                         # comment
    | %s\b(?:,\s*%s\b)*                                                 # placeholders
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
    )"?\s*\(
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What may hold digits and yet is no value comes first.
_VALUE = re.compile(
    r"""
      (?P<kept>"[^"]*(?:""[^"]*)*" | \$\d+ | %\(\w+\)s)
    | (?:\b(?:[eEbBxXnN]|[uU]&))?…                          # string, whatever kind its prefix says it is
    | (?P<word>[^\W\d][\w$]*)
    | \.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?
    """,
    re.VERBOSE,
)
_SIGN = re.compile(r"(?<=[=<>(,[])(\s*)[-+]\s*…")
_PLACE = r'(?:…|%s|%\(\w+\)s|\$\d+)(?:\s*::\s*[\w."]+(?:\[\])?)?'
_PLACES = rf"(?:{_PLACE}|\(\s*{_PLACE}(?:\s*,\s*{_PLACE})*\s*\))"
_LIST = re.compile(rf"\b((?:IN\s*\(|ARRAY\s*\[)\s*{_PLACES})(?:\s*,\s*{_PLACES})+(?=\s*[\])])", re.IGNORECASE)
_TOKEN = re.compile(r'(?P<place>…|%s|%\(\w+\)s|\$\d+)|"[^"]*(?:""[^"]*)*"|[\w$]+|\S')
_FIRST_WORD = re.compile(r"[\s(]*(\w+)")
_NAME = re.compile(r'"[\w$]+"')
_QUOTED_CALL = re.compile(r'"\s*(?:\.\s*(?:"|[\w$]+)\s*)?\(')
_SCHEMA = re.compile(r'([\w$]+)"?\s*\.\s*"?\Z')
_PARENTHESIS = re.compile(r"([()])")
_ORDER_BY = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_PLAIN_READ = re.compile(r"[\s(]*(?:SELECT|WITH|VALUES|TABLE)\b[^;]*[;\s]*\Z", re.IGNORECASE)
_OF_SESSION = re.compile(r"^[\s(]*SHOW\b|\b(?:set_config|current_setting)\s*\(", re.IGNORECASE)


def effect_of(sql: object, writing_functions: frozenset[str] = frozenset()) -> Effect:
    """Return what this statement does. `sql` is a string, bytes or a psycopg composable, as a cursor accepts them.

    writing_functions: names of functions that write besides PostgreSQL's own, with a schema or without. "charge" stands
    for the function in any schema. "billing.charge" stands for calls that name this schema, and for those that name
    none, which the search path may lead there. Case does not matter.
    """
    text = _text(sql)
    judge = _remembered if len(text) <= _LONGEST_REMEMBERED else _judge
    return judge(text, writing_functions)


def is_of_session(sql: object) -> bool:
    """Say whether a statement asks or sets what holds for its own connection, so that no other server can stand in."""
    return _OF_SESSION.search(_OPAQUE.sub(" ", _text(sql))) is not None


def is_ordered(sql: object) -> bool:
    """Say whether a statement asks for its rows in an order: whether it has an ORDER BY that is not within parentheses.

    Those of subqueries, windows and aggregates are. Parentheses around all of it do not count.
    """
    depth, texts = 0, dict[int, str]()
    for part in _PARENTHESIS.split(_OPAQUE.sub(_mark, _text(sql)).replace(";", " ")):
        if part in {"(", ")"}:
            depth += 1 if part == "(" else -1
        elif part.strip():
            texts[depth] = f"{texts.get(depth, '')} {part}"
    return bool(texts) and _ORDER_BY.search(texts[min(texts)]) is not None


def is_plain_read(sql: object, writing_functions: frozenset[str] = frozenset()) -> bool:
    """Say whether a statement is one question about data, which may be asked again of another server.

    It is no list of statements, locks nothing, and neither explains nor steers. What the functions do that it calls is
    not known from its text, except for those that `effect_of` knows.
    """
    text = _text(sql)
    judge = _plain_remembered if len(text) <= _LONGEST_REMEMBERED else _judge_plain
    return judge(text, writing_functions)


def outline(sql: object, longest: int = 80) -> str:
    """Return the beginning of a statement without its literals, and of a list after IN or ARRAY one place."""
    text = _text(sql)
    plain = (_outline_remembered if len(text) <= _LONGEST_REMEMBERED else _outline)(text)
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def fingerprint(sql: object) -> str:
    """Return 16 characters that are the same for statements which differ in values, lengths of lists and layout only.

    Whether a driver writes values into the statement or sends them apart makes no difference, nor do comments. How
    keywords and names are written does.
    """
    text = _text(sql)
    digest = _digest_remembered if len(text) <= _LONGEST_REMEMBERED else _digest
    return digest(text)


def without_literals(sql: object) -> str:
    """Return a statement with its names as they are, and nothing of its strings and comments."""
    return _OPAQUE.sub(lambda found: found[0] if found[0][0] == '"' else " ", _text(sql))


def _text(sql: object) -> str:
    if isinstance(sql, str):
        return sql
    if isinstance(sql, Composable):
        return sql.as_string(None)
    return bytes(sql).decode(errors="replace") if isinstance(sql, bytes | bytearray | memoryview) else str(sql)


def _shape(text: str) -> str:
    """Return a statement with one sign for every value, without comments."""
    plain = _VALUE.sub(lambda found: found["kept"] or found["word"] or "…", _OPAQUE.sub(_blank, text))
    return _LIST.sub(r"\1", _SIGN.sub(r"\1…", plain))


def _outline(text: str) -> str:
    return " ".join(_shape(text).split())


def _digest(text: str) -> str:
    tokens = ("…" if token["place"] else token[0] for token in _TOKEN.finditer(_shape(text)))
    return blake2b(" ".join(tokens).encode(errors="replace"), digest_size=8).hexdigest()


def _blank(found: re.Match[str]) -> str:
    """Leave identifiers and placeholders, a sign for a string, and nothing of a comment."""
    if found[0][0] in '"%':
        return found[0]
    return " " if found[0][0] in "-/" else "…"


def _judge(text: str, writing_functions: frozenset[str]) -> Effect:
    plain = _OPAQUE.sub(_mark, text)
    effects = {_judge_one(statement) for statement in plain.split(";") if statement.strip()}
    if not effects or Effect.WRITE in effects or _calls_what_writes(plain, text, writing_functions):
        return Effect.WRITE
    # What steers the session counts before what reads: sent again elsewhere, it would steer another session.
    return Effect.CONTROL if Effect.CONTROL in effects else Effect.READ


def _judge_plain(text: str, writing_functions: frozenset[str]) -> bool:
    plain = _OPAQUE.sub(_mark, text)
    if not _PLAIN_READ.match(plain) or _OF_SESSION.search(plain):
        return False
    return effect_of(text, writing_functions) is Effect.READ


def _judge_one(plain: str) -> Effect:
    found = _FIRST_WORD.match(plain)
    verb = found[1].upper() if found else ""
    if verb in _CONTROL_VERBS:
        return Effect.CONTROL
    return Effect.READ if verb in _READ_VERBS and not _WRITES_WITHIN.search(plain) else Effect.WRITE


def _calls_what_writes(plain: str, text: str, functions: frozenset[str]) -> bool:
    named = _OPAQUE.sub(_name, text) if _QUOTED_CALL.search(plain) else plain
    return bool(_CALLS_THAT_WRITE.search(named) or (functions and _calls_one_of(functions, named)))


def _mark(found: re.Match[str]) -> str:
    """Leave a trace of an identifier, whatever it is, and none of the rest."""
    return ' " ' if found[0][0] == '"' else " "


def _name(found: re.Match[str]) -> str:
    """Leave an identifier that may name a function, and nothing of the rest."""
    return f" {found[0]} " if _NAME.fullmatch(found[0]) else " "


def _calls_one_of(functions: frozenset[str], named: str) -> bool:
    declared = {function.lower() for function in functions}
    for call in _calls_of(functions).finditer(named):
        name, schema = call[1].lower(), _SCHEMA.search(named[: call.start()])
        if schema is None or name in declared or f"{schema[1].lower()}.{name}" in declared:
            return True
    return False


@lru_cache(maxsize=16)
def _calls_of(functions: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(function.rpartition(".")[2]) for function in functions)
    return re.compile(rf'(?<![\w$])({names})"?\s*\(', re.IGNORECASE)


_remembered = lru_cache(maxsize=4096)(_judge)
_plain_remembered = lru_cache(maxsize=4096)(_judge_plain)
_digest_remembered = lru_cache(maxsize=4096)(_digest)
_outline_remembered = lru_cache(maxsize=1024)(_outline)
