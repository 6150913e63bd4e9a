"""How settings are judged, one by one, and the judgement of those that primaries and replicas share. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from admin_ui.readiness.findings import Finding, Verdict
from routers.server_facts import ServerFacts, Setting


class Judged(NamedTuple):
    """A verdict, and what to do or to know about it, or an empty text."""

    verdict: Verdict
    step: str = ""


WELL = Judged(Verdict.PASS)

Judge = Callable[[Setting], Judged]


def judged(alias: str, facts: ServerFacts, judges: Mapping[str, Judge]) -> Iterator[Finding]:
    """Return a finding for each setting that there is a judge for, in their order."""
    for name, judge in judges.items():
        setting = facts.settings.get(name)
        if setting is None:
            words = "This role may not see it, or the server has no such setting: grant the role pg_monitor."
            yield Finding(name, alias, name, Verdict.UNKNOWN, "unknown", words)
            continue
        verdict, step = judge(setting)
        restart = " (changed, and in force after a restart)" if setting.awaits_restart else ""
        yield Finding(name, alias, name, verdict, f"{setting}{restart}", step)


def wal_level(setting: Setting) -> Judged:
    """Judge whether a standby could follow."""
    if setting.value == "minimal":
        return Judged(Verdict.FAIL, "No standby can follow this server. Set it to replica, and restart.")
    return WELL


def hot_standby(setting: Setting) -> Judged:
    """Judge whether it takes reads while it is a standby."""
    if setting.is_on:
        return WELL
    return Judged(Verdict.ATTENTION, "As a standby, this server would refuse all reads. Turn it on, and restart.")
