"""What a check found: whether it is well, the fact that this rests on, and what to do next. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """PASS: it is well. ATTENTION: it works and will cost something. FAIL: it does not work. UNKNOWN: nobody can tell.

    The value names the CSS class.
    """

    PASS = "pass"  # noqa: S105 - no password
    ATTENTION = "attention"
    FAIL = "fail"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """What it is called on pages and in terminals."""
        return _WORDS[self]

    @property
    def gravity(self) -> int:
        """How early it is to be read: 0 first. What is not known is never taken for well."""
        return _GRAVEST_FIRST.index(self)


_WORDS = {
    Verdict.PASS: "well",
    Verdict.ATTENTION: "needs attention",
    Verdict.FAIL: "fails",
    Verdict.UNKNOWN: "not known",
}
_GRAVEST_FIRST = (Verdict.FAIL, Verdict.ATTENTION, Verdict.UNKNOWN, Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    id: which check, for programs. subject: the alias, the cluster or the part that it is about. title: the check in
    words. fact: what was found. next_step: what to do about it, or empty.
    """

    id: str
    subject: str
    title: str
    verdict: Verdict
    fact: str
    next_step: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the gravest verdict there is; that of nothing is PASS."""
    return min((finding.verdict for finding in findings), key=lambda verdict: verdict.gravity, default=Verdict.PASS)


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with what is not well first, and otherwise in their order."""
    return tuple(sorted(findings, key=lambda finding: finding.verdict.gravity))


def summary(findings: Iterable[Finding]) -> str:
    """Say how many findings there are of each verdict: 1 fails, 2 need attention, 9 are well."""
    verdicts = [finding.verdict for finding in findings]
    counts = ((verdicts.count(verdict), *_COUNTED[verdict]) for verdict in _GRAVEST_FIRST)
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count) or "no check"


_COUNTED = {
    Verdict.PASS: ("is well", "are well"),
    Verdict.ATTENTION: ("needs attention", "need attention"),
    Verdict.FAIL: ("fails", "fail"),
    Verdict.UNKNOWN: ("is not known", "are not known"),
}
