"""What decides, besides the data, how a server answers: its settings, and how it sorts text."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rollout.outcomes import ShadowCause
from tasks.comparing.asker import Asker
from tasks.comparing.names import Name

SETTINGS = (
    "TimeZone",
    "timezone_abbreviations",
    "DateStyle",
    "IntervalStyle",
    "search_path",
    "bytea_output",
    "extra_float_digits",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "default_text_search_config",
    "standard_conforming_strings",
    "backslash_quote",
    "array_nulls",
    "xmlbinary",
    "row_security",
)
"""Names of settings that influence results or how they are written."""

SERVER_VERSION = "server_version"
DATABASE = "database"
OF_NEW_SESSIONS = " of new sessions"

_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
_DEFAULT_PROVIDER = "d"
_WITH_PROVIDERS, _WITH_RULES, _WITH_ONE_LOCALE = 150_000, 160_000, 170_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """settings: by name what the session has, and by name and `OF_NEW_SESSIONS` what role and database give a new one,
    which tells apart servers whose sessions the client has made alike. `SERVER_VERSION` is the major one.

    collations: how the database (`DATABASE`) and columns (schema.table.column) sort, with the version of the library
    that sorts. Where the version differs that was recorded when the collation was made, it is told as well: indexes may
    be in that one's order.
    """

    settings: Mapping[str, str]
    collations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SurroundingDifference:
    """kind: SETTINGS or COLLATION. name: the key in `Surroundings`. primary, replica: its value there."""

    kind: ShadowCause
    name: str
    primary: str
    replica: str


def read_surroundings(asker: Asker, version: int, names: Iterable[Name] = ()) -> Surroundings:
    """Ask a server of this version (as libpq tells it: 180000 is 18) with one question.

    The session that is to run a statement is the one to ask, once it has been made what the statement found. names:
    tables and views whose columns count; names of other things do no harm. Raises what the asker raises.
    """
    wanted = [{"schema": name.schema, "name": name.name} for name in sorted(set(names), key=str)]
    rows = asker.rows(question_for(version), [json.dumps(SETTINGS), json.dumps(wanted)])
    settings = {SERVER_VERSION: str(version // 10_000)}
    collations: dict[str, str] = {}
    for kind, name, *values in rows:
        if kind == "setting":
            settings[name or ""], settings[f"{name}{OF_NEW_SESSIONS}"] = values[0] or "", values[1] or ""
        else:
            collations[name or ""] = _describe(*values)
    # Columns without a collation of their own sort as the database does.
    own = {name: how or collations.get(DATABASE, "") for name, how in collations.items()}
    return Surroundings(settings, own)


def differences_between(primary: Surroundings, replica: Surroundings) -> tuple[SurroundingDifference, ...]:
    """Return what both have, and have differently, by name."""
    pairs = (
        (ShadowCause.SETTINGS, primary.settings, replica.settings),
        (ShadowCause.COLLATION, primary.collations, replica.collations),
    )
    return tuple(
        SurroundingDifference(kind, name, here[name], there[name])
        for kind, here, there in pairs
        for name in sorted(here.keys() & there.keys())
        if here[name] != there[name]
    )


def question_for(version: int) -> str:
    """Return what to ask a server of this version, from PostgreSQL 14 on.

    $1 is a JSON list of settings, $2 one of objects with schema and name. The answer's columns are what a row is about,
    its name, and the setting of the session and of new ones, or provider, locale and recorded and actual version.
    """
    if version >= _WITH_ONE_LOCALE:
        database_locale, column_locale = "datlocale", "colllocale"
    elif version >= _WITH_PROVIDERS:
        database_locale, column_locale = "daticulocale", "colliculocale"
    else:
        database_locale = column_locale = "NULL"
    database_rules, column_rules = ("daticurules", "collicurules") if version >= _WITH_RULES else ("NULL", "NULL")
    if version >= _WITH_PROVIDERS:
        provider, recorded = "datlocprovider", "datcollversion"
        actual = "pg_catalog.pg_database_collation_actual_version(pg_database.oid)"
    else:
        # A database has no version of its own, but a collation of the same locale has.
        provider, recorded = "'c'", "NULL"
        actual = (
            "(SELECT max(pg_catalog.pg_collation_actual_version(alike.oid)) FROM pg_catalog.pg_collation AS alike"
            " WHERE alike.collprovider = 'c' AND alike.collcollate = datcollate)"
        )
    return f"""
SELECT 'setting', name, setting, reset_val, NULL, NULL
FROM pg_catalog.pg_settings
WHERE name = ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($1::text::json)))
UNION ALL
SELECT '{DATABASE}', '{DATABASE}', {provider}::text,
       pg_catalog.concat_ws(' ', datcollate, datctype, {database_locale}, {database_rules}),
       {recorded}::text, {actual}::text
FROM pg_catalog.pg_database
WHERE datname = pg_catalog.current_database()
UNION ALL
SELECT DISTINCT 'column', pg_catalog.concat_ws('.', nspname, relname, attname), collprovider::text,
       pg_catalog.concat_ws(' ', collname, collcollate, collctype, {column_locale}, {column_rules},
                            CASE WHEN NOT collisdeterministic THEN 'nondeterministic' END),
       collversion::text,
       CASE WHEN collprovider <> '{_DEFAULT_PROVIDER}'
            THEN pg_catalog.pg_collation_actual_version(pg_collation.oid) END::text
FROM pg_catalog.json_to_recordset($2::text::json) AS wanted(schema text, name text)
JOIN pg_catalog.pg_class ON relname = wanted.name::name AND relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
JOIN pg_catalog.pg_collation ON pg_collation.oid = attcollation
WHERE nspname = wanted.schema::name OR (wanted.schema IS NULL AND pg_catalog.pg_table_is_visible(pg_class.oid))
"""  # noqa: S608 - what is put in is written above


def _describe(provider: str | None, locale: str | None, recorded: str | None, actual: str | None) -> str:
    """Return how text is sorted; nothing for what sorts as the database does."""
    if provider == _DEFAULT_PROVIDER:
        return ""
    parts = [_PROVIDERS.get(provider or "", provider or ""), locale or ""]
    if actual:
        parts.append(f"version {actual}")
    if recorded and recorded != actual:
        parts.append(f"recorded {recorded}")
    return " ".join(parts)
