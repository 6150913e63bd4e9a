"""Judges whether the servers of a cluster answer, and belong together. Pure."""

from collections.abc import Iterator

from admin_ui.readiness.findings import Finding, Verdict
from routers.server_facts import ServerFacts, Silence

Said = ServerFacts | Silence | None
"""What a server said, or that it said nothing; None if it was not asked."""

GRANT = "Grant the role pg_monitor: GRANT pg_monitor TO {role};"


def judge_identity(alias: str, said: Said, primary: Said, *, is_primary: bool) -> Iterator[Finding]:
    """Judge one server beside the primary of its cluster, which may be itself."""
    if not isinstance(said, ServerFacts):
        words = said.words if said is not None else "was not asked"
        step = (
            "Writes fail or hang. If it does not come back, promote a replica and let the alias lead to it."
            if is_primary
            else "Its reads are answered elsewhere. Look at the server, its pg_hba.conf, and the way to it."
        )
        yield Finding("answers", alias, "Every server answers", Verdict.FAIL, words, step)
        return
    yield Finding("answers", alias, "Every server answers", Verdict.PASS, "answers")
    yield _rights(alias, said)
    yield _role(alias, said, is_primary=is_primary)
    if said.is_subscriber and not is_primary:
        # It is another cluster on purpose, often of another version.
        return
    yield _collation(alias, said, primary)
    yield _version(alias, said, primary)
    if not is_primary:
        yield _history(alias, said, primary)


def _rights(alias: str, said: ServerFacts) -> Finding:
    title = "The role may see how replication stands"
    if said.may_read_all:
        return Finding("rights", alias, title, Verdict.PASS, "may see all")
    return Finding(
        "rights", alias, title, Verdict.ATTENTION, f"“{said.role}” may not see all", GRANT.format(role=said.role)
    )


def _role(alias: str, said: ServerFacts, *, is_primary: bool) -> Finding:
    title = "One primary, and standbys of it"
    fact = "is a standby" if said.is_standby else "is a primary"
    if said.is_standby != is_primary:
        return Finding("role", alias, title, Verdict.PASS, fact)
    if said.is_subscriber and not is_primary:
        step = "Its answers can be compared by shadow reads. It serves no reads, and cannot take the primary's place."
        return Finding("role", alias, title, Verdict.ATTENTION, "is a logical subscriber", step)
    step = (
        "Writes fail. After a failover, let this alias lead to the server that was promoted."
        if is_primary
        else "It was promoted, or the alias leads to a primary. Correct the alias, or build the standby anew."
    )
    return Finding("role", alias, title, Verdict.FAIL, fact, step)


def _history(alias: str, said: ServerFacts, primary: Said) -> Finding:
    title = "One history: the same system and timeline"
    fact = f"system {said.system}, timeline {said.timeline}"
    if not isinstance(primary, ServerFacts):
        return Finding("history", alias, title, Verdict.UNKNOWN, f"{fact}; its primary did not answer")
    if said.system != primary.system:
        step = f"Its primary has system {primary.system}: it is no copy of it. Correct the alias, or build it anew."
        return Finding("history", alias, title, Verdict.FAIL, fact, step)
    if said.timeline != primary.timeline:
        step = f"Its primary is on timeline {primary.timeline}. Let it follow, or rewind it with pg_rewind."
        return Finding("history", alias, title, Verdict.FAIL, fact, step)
    return Finding("history", alias, title, Verdict.PASS, fact)


def _version(alias: str, said: ServerFacts, primary: Said) -> Finding:
    title = "The same version of PostgreSQL"
    fact = f"PostgreSQL {said.version_name}"
    if not isinstance(primary, ServerFacts) or said.version == primary.version:
        return Finding("version", alias, title, Verdict.PASS, fact)
    if said.major != primary.major:
        step = f"Its primary is {primary.version_name}: physical standbys need the same major version."
        return Finding("version", alias, title, Verdict.FAIL, fact, step)
    step = f"Its primary is {primary.version_name}. Bring all servers to the same minor version, standbys first."
    return Finding("version", alias, title, Verdict.ATTENTION, fact, step)


def _collation(alias: str, said: ServerFacts, primary: Said) -> Finding:
    """Judge the version of the database's collation. A standby cannot rebuild an index that another one sorted."""
    title = "The same collation, so that indexes are in order"
    here, recorded = said.actual_collation, said.recorded_collation
    there = primary.actual_collation if isinstance(primary, ServerFacts) else here
    if here and recorded and here != recorded:
        step = (
            "Text is sorted by other rules than the indexes, which may miss rows or return wrong ones. Give all "
            "machines the same C library or ICU, or REINDEX and ALTER DATABASE … REFRESH COLLATION VERSION."
        )
        return Finding("collation", alias, title, Verdict.FAIL, f"version {here}, indexes rest on {recorded}", step)
    if here != there:
        step = "Give both machines the same C library or ICU: the standby reads the indexes that the primary has built."
        return Finding("collation", alias, title, Verdict.FAIL, f"version {here}, on its primary {there}", step)
    return Finding("collation", alias, title, Verdict.PASS, f"version {here}" if here else "has no version to differ")
