"""How findings about servers become one checklist."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from admin_ui.readiness.assessment import Evidence, assess
from admin_ui.readiness.findings import Finding, Verdict, worst
from admin_ui.readiness.identity import Said
from admin_ui.readiness.operations import EVERYWHERE
from routers.server_facts import Silence
from tests.admin_ui.readiness.samples import CLUSTER, primary, replica

DATABASES = {alias: {"HOST": alias, "OPTIONS": {"connect_timeout": 2}} for alias in CLUSTER.aliases}
SERVERS: dict[str, Said] = {"default": primary(), "replica1": replica(1), "replica2": replica(2)}


def checklist(servers: dict[str, Said], *operations: Finding) -> dict[str, Finding]:
    found = assess(CLUSTER, Evidence(servers, DATABASES, 10.0, operations=operations)).checklist
    assert len({finding.id for finding in found}) == len(found)
    return {finding.id: finding for finding in found}


def test_of_a_cluster_as_it_should_be_only_what_nobody_has_stated_is_not_known() -> None:
    assert {found.id for found in checklist(SERVERS).values() if found.verdict is not Verdict.PASS} == {"capacity"}


def test_one_fact_is_said_once_for_all_servers() -> None:
    assert checklist(SERVERS)["version"].fact == "default, replica1, replica2: PostgreSQL 18.1"


def test_what_is_unwell_is_said_of_those_it_concerns_and_comes_first() -> None:
    servers = {**SERVERS, "replica2": Silence("did not answer within 2 s")}
    found = checklist(servers)
    assert (found["answers"].verdict, found["answers"].fact) == (Verdict.FAIL, "replica2: did not answer within 2 s")
    assert next(iter(found)) == "answers"
    assert found["version"].fact == "default, replica1: PostgreSQL 18.1"


def test_settings_that_are_unwell_are_named_with_their_next_step() -> None:
    servers = {**SERVERS, "replica1": replica(1, settings={"max_connections": "50"})}
    found = checklist(servers)["settings"]
    assert (found.verdict, found.fact) == (Verdict.FAIL, "replica1: max_connections 50")
    assert "Raise it to 100" in found.next_step


def test_a_replica_that_was_promoted_is_not_judged_as_one() -> None:
    found = checklist({**SERVERS, "replica1": replace(primary(), timeline=2)})
    assert found["role"].verdict is Verdict.FAIL
    assert "replica1" not in found["receives"].fact


def test_a_primary_that_says_nothing_leaves_what_replicas_say() -> None:
    found = checklist({**SERVERS, "default": Silence("did not answer within 2 s")})
    assert "promote a replica" in found["answers"].next_step
    assert found["receives"].verdict is Verdict.PASS
    assert {found[check].verdict for check in ("history", "lag", "slot")} == {Verdict.UNKNOWN}


def test_when_nobody_says_anything_it_fails_and_that_is_all() -> None:
    found = checklist({})
    assert found["answers"].verdict is Verdict.FAIL
    assert "version" not in found


def test_what_concerns_all_clusters_names_none() -> None:
    finding = Finding("processes", EVERYWHERE, "Title", Verdict.PASS, "2 of 2")
    assert checklist(SERVERS, finding)["processes"].fact == "2 of 2"


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from(Verdict), st.sampled_from("fg")))
)
def test_a_check_is_as_grave_as_the_gravest_it_is_made_of(parts: list[tuple[str, str, Verdict, str]]) -> None:
    operations = [Finding(check, subject, check, verdict, fact) for check, subject, verdict, fact in parts]
    found = checklist(SERVERS, *operations)
    for check in {part.id for part in operations}:
        group = [part for part in operations if part.id == check]
        assert found[check].verdict is worst(group)
        for part in group:
            if part.verdict is found[check].verdict:
                assert part.subject in found[check].fact
