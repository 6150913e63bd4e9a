"""Whether what differs between two servers' surroundings may be why their answers differ."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rollout.outcomes import ShadowCause
from routers.statements import without_literals
from tasks.comparing.names import words_in
from tasks.comparing.surroundings import DATABASE, SurroundingDifference

_BY_VALUE = frozenset({ShadowCause.MISSING_ROW, ShadowCause.EXTRA_ROW, ShadowCause.CHANGED_COLUMN})


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a setting has a hold on: types by OID (pg_type.dat; arrays, ranges and multiranges included), and words."""

    types: frozenset[int] = frozenset()
    words: str | None = None


_ZONED = frozenset({1184, 1185, 1266, 1270, 3910, 3911, 4534, 6153, 702})
_DATES = frozenset({1082, 1182, 3912, 3913, 4535, 6155})
_UNZONED = frozenset({1114, 1115, 3908, 3909, 4533, 6152})
_FLOATS = frozenset({700, 701, 1021, 1022, 600, 601, 602, 603, 604, 628, 718, 1017, 1018, 1019, 1020, 1027, 629, 719})

_AS_JSON = r"\b(?:to|row_to|array_to)_jsonb?\s*\(|\bjsonb?_(?:build|object|agg)\w*\s*\("
# A literal with a type, or a parameter with one, has been taken out or begins with a digit.
_TO_TIME = r'(?:\b[^\W\d]\w*|["\])])::\s*(?:date|time)|\bCAST\s*\([^()]*\bAS\s+(?:date|time)'
_OF_TIME = rf"\bAT\s+(?:TIME\s+ZONE|LOCAL)\b|\b(?:date_trunc|date_part|extract|to_char)\s*\(|{_TO_TIME}|{_AS_JSON}"
_NUMBERS_AND_NAMES = r"\bto_(?:char|number|date|timestamp)\s*\("

_REACHES = {
    "TimeZone": _Reach(_ZONED | _DATES, _OF_TIME),
    "timezone_abbreviations": _Reach(_ZONED | _DATES, _OF_TIME),
    "DateStyle": _Reach(_ZONED | _DATES | _UNZONED, _OF_TIME),
    "IntervalStyle": _Reach(frozenset({1186, 1187}), _AS_JSON),
    "bytea_output": _Reach(frozenset({17, 1001}), _AS_JSON),
    "extra_float_digits": _Reach(_FLOATS, _AS_JSON),
    "lc_monetary": _Reach(frozenset({790, 791}), _NUMBERS_AND_NAMES),
    "lc_numeric": _Reach(words=_NUMBERS_AND_NAMES),
    "lc_time": _Reach(words=_NUMBERS_AND_NAMES),
    "default_text_search_config": _Reach(
        frozenset({3614, 3615, 3643, 3645}), r"\bto_tsvector\s*\(|to_tsquery\s*\(|\bts_headline\s*\(|@@"
    ),
    "xmlbinary": _Reach(frozenset({142, 143}), r"\bxml\w+\s*\(|_to_xml\w*\s*\("),
    # Whatever has no schema may be another thing.
    "search_path": _Reach(words=r""),
}
_OF_LITERALS = frozenset({"standard_conforming_strings", "backslash_quote"})
_LOOKS_AT_SETTINGS = r'\bcurrent_setting"?\s*\(|\bpg_settings\b|\bpg_show_all_settings\b'

_SORTS_OR_FOLDS = (
    r"\bORDER\s+BY\b.*\b(?:LIMIT|FETCH|OFFSET)\b|\bDISTINCT\s+ON\b|\bOVER\b|\bBETWEEN\b"
    r'|\b(?:min|max|greatest|least)"?\s*\('
    r"|(?<![-<>=@&|~#!^*?])[<>]=?(?![-<>=@&|~#!^*?])"
    r'|\b(?:upper|lower|initcap)"?\s*\(|\bILIKE\b|~\*'
)
_COMPUTED_TEXT = r"->>|#>>|\|\||::\s*(?:text|character|varchar)\b"


def explain(
    cause: ShadowCause,
    differences: Iterable[SurroundingDifference],
    texts: Sequence[bytes | str],
    types: Collection[int],
) -> ShadowCause:
    """Return COLLATION or SETTINGS where that may be why two answers differ, else the cause as it is.

    texts: the statement, and the views that it reads. types: OIDs of the types of the columns that differ, or of all
    columns where rows are missing or too many. Settings count as the sessions had them, so what differs for new
    sessions alone explains only what looks at settings.
    """
    differing = tuple(differences)
    collations = [one.name for one in differing if one.kind is ShadowCause.COLLATION]
    settings = [one.name for one in differing if one.kind is ShadowCause.SETTINGS]
    if cause is ShadowCause.ORDER:
        return ShadowCause.COLLATION if collations else cause
    if cause not in _BY_VALUE:
        return cause
    plain = "\n".join(map(without_literals, texts))
    literally = "\n".join(text if isinstance(text, str) else text.decode(errors="replace") for text in texts)
    if settings and (_has(_LOOKS_AT_SETTINGS, plain) or _depends(settings, plain, literally, frozenset(types))):
        return ShadowCause.SETTINGS
    if _has(_SORTS_OR_FOLDS, plain) and any(_concerns(name, plain) for name in collations):
        return ShadowCause.COLLATION
    return cause


def _depends(settings: Iterable[str], plain: str, literally: str, types: frozenset[int]) -> bool:
    for name in settings:
        reach = _REACHES.get(name, _Reach())
        if types & reach.types or (reach.words is not None and _has(reach.words, plain)):
            return True
        if name in _OF_LITERALS and "\\" in literally:
            return True
    return False


def _concerns(collation: str, plain: str) -> bool:
    """Say whether a statement names the column, or computes text that sorts as the database does."""
    if collation == DATABASE:
        return _has(_COMPUTED_TEXT, plain)
    return collation.rpartition(".")[2] in words_in(plain)


def _has(pattern: str, plain: str) -> bool:
    return re.search(pattern, plain, re.IGNORECASE | re.DOTALL) is not None
