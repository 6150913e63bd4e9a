"""What a figure must keep to: one piece for a benchmark's exit status and for the table of all of them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bound:
    """One figure of a result as it is told, and the range that it has to lie in.

    Attributes:
        figure: its keys from the top of the result, with dots between them, or what was counted of it.
        value: None where it could not be measured, which keeps no bound.
        least, most: the range, ends included; None where it has no end.
        peers: the same figure of other systems in the same run, which nobody is held to.
        unjudged: why a run of this length says nothing about the bound; empty when it does.
    """

    figure: str
    value: float | None
    least: float | None = None
    most: float | None = None
    peers: Mapping[str, float | None] = field(default_factory=dict)
    unjudged: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the value lies in the range."""
        if self.value is None:
            return False
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def is_missed(self) -> bool:
        """Whether the value lies outside of the range, and the run was long enough to say so."""
        return not self.unjudged and not self.is_kept

    @property
    def range(self) -> str:
        """The range in words."""
        if self.least is None:
            return f"at most {told(self.most)}"
        if self.most is None:
            return f"at least {told(self.least)}"
        if self.least == self.most:
            return f"exactly {told(self.least)}"
        return f"{told(self.least)} to {told(self.most)}"


def missed(bounds: Iterable[Bound]) -> list[str]:
    """Say in words which bounds are missed, for `outcomes.status`."""
    return [f"{each.figure} is {told(each.value)}, the bound is {each.range}" for each in bounds if each.is_missed]


def told(value: float | None) -> str:
    """Return a number as it is shown: with thousands set apart, and four digits behind the point at most."""
    if value is None:
        return "null"
    rounded = round(value, 4)
    return f"{int(rounded):,}" if rounded == int(rounded) else f"{rounded:,}"
