"""What real servers say of their settings and of how they sort."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from demo.cluster import Cluster
from rollout.outcomes import ShadowCause
from tasks.comparing.explanations import explain
from tasks.comparing.names import Name, relations_in
from tasks.comparing.surroundings import (
    SETTINGS,
    SurroundingDifference,
    Surroundings,
    differences_between,
    question_for,
    read_surroundings,
)
from tests.tasks.comparing.asking import PlainAsker, asking, database

TABLE = 'CREATE TABLE "Note" (title text, code text COLLATE "C", number int)'


@contextmanager
def another_server(cluster: Cluster, *options: str) -> Iterator[tuple[PlainAsker, PlainAsker]]:
    """Two databases with that table, of which the second has these options."""
    with database(cluster.primary, "here") as here, database(cluster.primary, "there", *options) as there:
        for name in (here, there):
            cluster.primary.query(TABLE, dbname=name)
        with asking(cluster.primary, here) as first, asking(cluster.primary, there) as second:
            yield first, second


def read(asker: PlainAsker, *names: Name) -> Surroundings:
    return read_surroundings(asker, asker.version, names)


def test_all_is_read_with_one_question(cluster: Cluster) -> None:
    with another_server(cluster) as (asker, _):
        asked = asker.asked
        found = read(asker, *relations_in(b'SELECT title, code FROM "Note" ORDER BY number'))
        assert asker.asked - asked == 1
        assert found.settings["server_version"] == str(asker.version // 10_000)
    assert set(SETTINGS) <= set(found.settings)
    assert {f"{name} of new sessions" for name in SETTINGS} <= set(found.settings)
    assert found.collations == {
        "database": "libc C C",
        "public.Note.title": "libc C C",
        "public.Note.code": "libc C C C",
    }


def test_servers_that_are_alike_do_not_differ(cluster: Cluster) -> None:
    note = Name(None, "Note")
    with another_server(cluster) as (here, there):
        assert differences_between(read(here, note), read(there, note)) == ()


def test_a_replica_does_not_differ_from_its_primary(cluster: Cluster) -> None:
    with asking(cluster.primary) as primary, asking(cluster.replicas[0]) as replica:
        assert differences_between(read(primary, Name(None, "pg_class")), read(replica, Name(None, "pg_class"))) == ()


def test_a_role_that_is_given_another_time_zone_differs_in_both_ways(cluster: Cluster) -> None:
    cluster.primary.query("DROP ROLE IF EXISTS traveller")
    cluster.primary.query("CREATE ROLE traveller LOGIN")
    try:
        cluster.primary.query("ALTER ROLE traveller SET timezone = 'Asia/Tokyo'")
        with asking(cluster.primary) as here, asking(cluster.primary, user="traveller") as there:
            zone = read(here).settings["TimeZone"]
            both = tuple(
                SurroundingDifference(ShadowCause.SETTINGS, name, zone, "Asia/Tokyo")
                for name in ("TimeZone", "TimeZone of new sessions")
            )
            assert differences_between(read(here), read(there)) == both
            # As Django does.
            for asker in (here, there):
                asker.rows("SELECT set_config('TimeZone', $1, false)", ["UTC"])
            assert differences_between(read(here), read(there)) == both[1:]
    finally:
        cluster.primary.query("DROP ROLE traveller")


def test_a_database_that_is_given_another_setting_differs(cluster: Cluster) -> None:
    with another_server(cluster) as (here, _):
        cluster.primary.query("ALTER DATABASE there SET intervalstyle = 'iso_8601'")
        with asking(cluster.primary, "there") as there:
            names = [one.name for one in differences_between(read(here), read(there))]
            (mine, theirs) = (asker.rows("SELECT interval '1 day'::text", [])[0][0] for asker in (here, there))
    assert names == ["IntervalStyle", "IntervalStyle of new sessions"]
    assert mine != theirs


def test_a_database_that_sorts_otherwise_explains_another_order(cluster: Cluster) -> None:
    if not cluster.primary.query("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"):
        pytest.skip("this PostgreSQL was built without ICU")
    statement = b'SELECT title FROM "Note" ORDER BY title'
    with another_server(cluster, "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und'") as (here, there):
        for name in ("here", "there"):
            cluster.primary.query("INSERT INTO \"Note\" VALUES ('B'), ('a')", dbname=name)
        answers = [asker.rows(statement.decode(), []) for asker in (here, there)]
        found = differences_between(*(read(asker, *relations_in(statement)) for asker in (here, there)))
    assert answers == [[("B",), ("a",)], [("a",), ("B",)]]
    assert [one.name for one in found] == ["database", "public.Note.title"]
    assert all(one.kind is ShadowCause.COLLATION and one.replica.startswith("icu C C und version") for one in found)
    assert explain(ShadowCause.ORDER, found, [statement], [25]) is ShadowCause.COLLATION


def test_a_database_that_folds_letters_otherwise_explains_a_row_too_many(cluster: Cluster) -> None:
    with asking(cluster.primary) as asker:
        provider = "builtin BUILTIN_LOCALE 'C.UTF-8'" if asker.version >= 170_000 else "icu ICU_LOCALE 'und'"
    statement = "SELECT number FROM \"Note\" WHERE lower(title) = 'é'"
    with another_server(cluster, f"TEMPLATE template0 LOCALE_PROVIDER {provider}") as (here, there):
        for name in ("here", "there"):
            cluster.primary.query("INSERT INTO \"Note\" VALUES ('É')", dbname=name)
        assert [len(asker.rows(statement, [])) for asker in (here, there)] == [0, 1]
        found = differences_between(*(read(asker, *relations_in(statement)) for asker in (here, there)))
    assert [one.name for one in found] == ["database", "public.Note.title"]
    assert all(one.kind is ShadowCause.COLLATION and one.primary == "libc C C" for one in found)
    assert explain(ShadowCause.EXTRA_ROW, found, [statement], [23]) is ShadowCause.COLLATION


def test_a_column_that_sorts_otherwise_differs(cluster: Cluster) -> None:
    with another_server(cluster) as (here, there):
        cluster.primary.query('ALTER TABLE "Note" ALTER code TYPE text COLLATE "POSIX"', dbname="there")
        found = differences_between(*(read(asker, Name("public", "Note")) for asker in (here, there)))
    expected = ("public.Note.code", "libc C C C", "libc POSIX POSIX POSIX")
    assert found == (SurroundingDifference(ShadowCause.COLLATION, *expected),)


def test_a_table_is_found_by_its_name_where_the_search_path_leads(cluster: Cluster) -> None:
    with another_server(cluster) as (asker, _):
        cluster.primary.query("CREATE SCHEMA hidden CREATE TABLE draft (body text)", dbname="here")
        assert "hidden.draft.body" not in read(asker, Name(None, "draft")).collations
        assert "hidden.draft.body" in read(asker, Name("hidden", "draft")).collations
        asker.rows("SELECT set_config('search_path', 'hidden', false)", [])
        assert "hidden.draft.body" in read(asker, Name(None, "draft")).collations


def test_the_recorded_version_is_told_where_the_library_has_another(cluster: Cluster) -> None:
    ((versioned,),) = cluster.primary.query(
        "SELECT collname FROM pg_collation WHERE collprovider IN ('b', 'i') AND collencoding IN (-1, 6)"
        " AND collversion IS NOT NULL ORDER BY collname DESC LIMIT 1"
    )
    with another_server(cluster) as (here, there):
        for name in ("here", "there"):
            cluster.primary.query(f'ALTER TABLE "Note" ALTER code TYPE text COLLATE "{versioned}"', dbname=name)
        cluster.primary.query("UPDATE pg_collation SET collversion = '0' WHERE collname = %s", [versioned], "there")
        (found,) = differences_between(*(read(asker, Name(None, "Note")) for asker in (here, there)))
    assert " version " in found.primary
    assert found.replica == f"{found.primary} recorded 0"


def test_what_only_one_server_has_is_no_difference() -> None:
    here = Surroundings({"TimeZone": "UTC", "new": "on"}, {"database": "a", "public.t.x": "a"})
    there = Surroundings({"TimeZone": "UTC"}, {"database": "b"})
    assert differences_between(here, there) == (SurroundingDifference(ShadowCause.COLLATION, "database", "a", "b"),)


@pytest.mark.parametrize(
    ("version", "has", "has_not"),
    [
        (
            140_012,
            ["'c'::text"],
            ["datlocprovider", "datlocale", "daticu", "datcollversion", "colllocale", "collicu"],
        ),
        (
            150_004,
            ["datlocprovider", "daticulocale", "colliculocale", "pg_database_collation_actual_version"],
            ["datlocale", "daticurules", "colllocale", "collicurules"],
        ),
        (160_000, ["daticulocale", "daticurules", "colliculocale", "collicurules"], ["datlocale", "colllocale"]),
        (170_002, ["datlocale", "daticurules", "colllocale", "collicurules"], ["daticulocale", "colliculocale"]),
    ],
)
def test_each_version_is_asked_for_columns_that_it_has(version: int, has: list[str], has_not: list[str]) -> None:
    question = question_for(version)
    assert [word for word in has if word not in question] == []
    assert [word for word in has_not if word in question] == []


def test_the_question_for_the_oldest_version_has_the_same_answer_where_there_is_no_locale(cluster: Cluster) -> None:
    with another_server(cluster) as (asker, _):
        assert (
            read_surroundings(asker, 140_000, [Name(None, "Note")]).collations
            == read(asker, Name(None, "Note")).collations
        )
