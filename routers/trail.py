"""The trail of a unit: what it wrote and saw on the primaries, and so what later reads of its actor must show."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from routers.subjects import Party, PlainParty
from routers.tokens import NOTHING, Token


@dataclass(slots=True)
class Trail:
    """Shared by the units that run within one another.

    written: the primaries that were written to.
    bound: those that serve the rest of the unit, because they have served a read in a replica's place.
    unsettled: those of which the position after the last write is not in the token yet.
    seen: those of which the time of the last read in a replica's place is not in the token yet.
    learned: the token of what was settled so far.
    kept: pool to the replica that serves the reads of these units.
    has_delegated: whether a task was enqueued, which may write for the same actor later.
    on_news: called before the first write or displaced read; afterwards None.
    mark: another object after each change that may lead a read elsewhere.
    """

    party: Party
    written: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    learned: Token = NOTHING
    kept: dict[str, str] = field(default_factory=dict)
    has_delegated: bool = False
    on_news: Callable[[], None] | None = None
    mark: object = field(default_factory=object)

    @property
    def token(self) -> Token:
        """What the actor's reads must show: what it came with and what was settled since."""
        return self.party.token.followed_by(self.learned)

    @property
    def is_open(self) -> bool:
        """Whether something was written or seen that is not in the token yet."""
        return bool(self.unsettled or self.seen)

    @property
    def has_news(self) -> bool:
        """Whether something happened that the actor's next unit must know."""
        return self.is_open or bool(self.learned)

    def note_write(self, primary: str) -> None:
        """Take down that a write is about to be sent to this primary."""
        self._tell()
        self.written.add(primary)
        self.unsettled.add(primary)
        self.turn()

    def note_displaced(self, primary: str, *, binds: bool) -> None:
        """Take down that this primary serves a read in a replica's place, and may show more than any replica does.

        binds: whether the rest of the unit stays there, so that nothing in it is older.
        """
        self._tell()
        self.seen.add(primary)
        if binds:
            self.bound.add(primary)
            self.turn()

    def keep(self, pool: str, alias: str) -> None:
        """Take down which replica serves the reads of a pool."""
        before = self.kept.get(pool, alias)
        self.kept[pool] = alias
        if before != alias:
            self.turn()

    def turn(self) -> None:
        """Have every decision of these units taken anew."""
        self.mark = object()

    def learn(self, primary: str, token: Token) -> None:
        """Take down what was settled for a primary."""
        self.unsettled.discard(primary)
        self.seen.discard(primary)
        self.learned = self.learned.followed_by(token)
        self.turn()

    def adopt(self, token: Token) -> None:
        """Take over what somebody else wrote or saw for the same actor."""
        self._tell()
        self.learned = self.learned.merge(token)
        self.turn()

    def _tell(self) -> None:
        tell, self.on_news = self.on_news, None
        if tell is not None:
            tell()


_outside: ContextVar[Trail | None] = ContextVar("readshift_outside", default=None)


def begin_outside(party: Party) -> Trail:
    """Return the trail of a unit that runs in no other one: it knows what the code outside has written before it."""
    outside = outside_trail()
    return Trail(party, unsettled=outside.unsettled, seen=outside.seen, learned=outside.learned)


def end_outside(trail: Trail) -> None:
    """Let the code outside know what was settled in such a unit. Others may have ended meanwhile, in other threads."""
    outside = outside_trail()
    outside.learned = outside.learned.followed_by(trail.learned)


def forget_outside() -> None:
    """Begin anew, as code does that has written nothing yet."""
    _outside.set(None)


def outside_trail() -> Trail:
    """Return the trail of the code that runs in no unit here, such as a script between its blocks."""
    trail = _outside.get()
    if trail is None:
        trail = Trail(PlainParty())
        _outside.set(trail)
    return trail
