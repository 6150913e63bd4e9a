"""Whether a captured statement may run on any server: it may if it calls nothing that acts, or answers by chance.

The catalogue says so of each function (provolatile), and is trusted. What a statement calls without naming it is not
seen: operators, casts and policies whose functions are volatile.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.comparing.asker import Asker
from tasks.comparing.names import KEYWORD_FUNCTIONS, Name, functions_in, relations_in

_CATALOG = "pg_catalog"

_OF_THE_CLOCK = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
    # age() of one time counts from today.
    | {"now", "transaction_timestamp", "statement_timestamp", "age"}
)
_OF_THE_SESSION = frozenset(
    # Session Information Functions
    {"current_catalog", "current_database", "current_query", "current_role", "current_schema", "current_schemas"}
    | {"current_user", "inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port"}
    | {"pg_backend_pid", "pg_conf_load_time", "pg_is_other_temp_schema", "pg_listening_channels", "pg_my_temp_schema"}
    | {"pg_numa_available", "pg_postmaster_start_time", "pg_trigger_depth", "session_user", "system_user", "user"}
    | {"getpgusername", "row_security_active", "version"}
    # Transaction IDs and Snapshots, which a standby has none of or its own
    | {"pg_current_snapshot", "pg_current_xact_id_if_assigned"}
    | {"txid_current_if_assigned", "txid_current_snapshot"}
    # Recovery Information Functions that are not volatile
    | {"pg_get_wal_resource_managers"}
    # Configuration Settings Functions, and what the views of settings and sessions call
    | {"current_setting", "get_current_ts_config", "pg_show_all_settings", "pg_client_encoding", "pg_config"}
    | {"pg_cursor", "pg_prepared_statement", "pg_timezone_abbrevs_abbrevs", "pg_timezone_abbrevs_zone"}
    | {"pg_timezone_abbrevs", "pg_timezone_names", "pg_available_extensions", "pg_available_extension_versions"}
)
_STATISTICS = "pg_stat_get_"

QUESTION = """
SELECT 'function', nspname::text, proname::text, provolatile::text
FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pronamespace
WHERE proname = ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($1::text::json))::name[])
UNION ALL
SELECT 'view', nspname::text, relname::text, pg_catalog.pg_get_viewdef(pg_class.oid)
FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'v' AND relname = ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($2::text::json))::name[])
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A function that is called. name: with its schema, unless it is PostgreSQL's own. volatility: "i", "s" or "v"."""

    name: str
    volatility: str


@dataclass(frozen=True, slots=True)
class Calls:
    """functions: what a statement and its views call. views: the text of each view that it may read from."""

    functions: frozenset[Found]
    views: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """volatile: the functions for which it is refused.

    of_the_clock: the answer changes by itself. of_the_session: it tells about the server or the session.
    """

    is_allowed: bool
    volatile: tuple[str, ...]
    of_the_clock: bool
    of_the_session: bool


def assess(functions: Iterable[Found]) -> Assessment:
    """Return whether what calls these functions is a plain read, and on what besides data its answer depends."""
    called = frozenset(functions)
    volatile = tuple(sorted({found.name for found in called if found.volatility == "v"}))
    names = {found.name for found in called}
    return Assessment(
        is_allowed=not volatile,
        volatile=volatile,
        of_the_clock=not names.isdisjoint(_OF_THE_CLOCK),
        of_the_session=not names.isdisjoint(_OF_THE_SESSION) or any(name.startswith(_STATISTICS) for name in names),
    )


def calls_of(asker: Asker, query: bytes) -> Calls:
    """Ask a server what this statement calls, views that it reads from and what they read from included.

    A name without a schema stands for what has it in any schema, since the search path may lead there. One question for
    the statement, and one for each level of views. Raises what the asker raises.
    """
    functions: set[Found] = set()
    views: dict[tuple[str, str], str] = {}
    unread = [query.decode(errors="replace")]
    while unread:
        called = frozenset[Name]().union(*map(functions_in, unread))
        read = frozenset[Name]().union(*map(relations_in, unread))
        functions |= {Found(name.name, "s") for name in called if not name.schema and name.name in KEYWORD_FUNCTIONS}
        unread = []
        for row in asker.rows(QUESTION, [_names(called), _names(read)]):
            kind, schema, name, said = (value or "" for value in row)
            if kind == "function" and any(call.may_be(schema, name) for call in called):
                functions.add(Found(name if schema == _CATALOG else f"{schema}.{name}", said))
            elif kind == "view" and (schema, name) not in views and _may_read(read, schema, name):
                views[schema, name] = said
                unread.append(said)
    return Calls(frozenset(functions), tuple(views.values()))


def _may_read(names: Iterable[Name], schema: str, name: str) -> bool:
    """Say whether one of these is this view.

    No search path leads to the information schema, and what its views are called is what columns are called elsewhere.
    """
    return any(read.may_be(schema, name) for read in names if read.schema or schema != "information_schema")


def _names(names: Iterable[Name]) -> str:
    return json.dumps(sorted({name.name for name in names}))
