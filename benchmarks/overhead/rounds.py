"""The rounds: in each, every process measures every block, in an order that changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from benchmarks.overhead.blocks import Answer, Block, What
from benchmarks.overhead.content import REPLICA, RULES
from benchmarks.overhead.crew import Worker
from benchmarks.overhead.installing import CONSTANT, MULTIDB, NO_ROUTER
from benchmarks.overhead.stack import CONTROL, CREW, own
from benchmarks.systems import OWN

_BLOCK_NANOSECONDS = 2_000_000
_MOST_DECISIONS = 10_000
_FEWEST_DECISIONS = 40
_WARM_UP_TURNS = 3
_REPETITIONS: Mapping[Block, int] = {
    Block(What.FIRST): 10,
    Block(What.READ): 10,
    Block(What.REQUEST): 20,
    Block(What.READ, is_async=True): 10,
    Block(What.REQUEST, is_async=True): 10,
}
READ = Block(What.READ)
DECISIONS = (Block(What.DECISION), Block(What.DECISION, is_async=True))
BLOCKS = (*DECISIONS, *_REPETITIONS)
_MOST_RULES = own(max(RULES))
PAIRS: Mapping[Block, tuple[str, ...]] = {
    READ: (OWN, CONSTANT, CONTROL),
    Block(What.REQUEST): (OWN, NO_ROUTER, _MOST_RULES),
    Block(What.REQUEST, is_async=True): (OWN, NO_ROUTER),
    Block(What.FIRST): (OWN, _MOST_RULES),
    **dict.fromkeys(DECISIONS, (OWN, MULTIDB, _MOST_RULES)),
}
"""What is compared turn by turn, as the differences are small beside what both have in common."""
_TURNS = {READ: 30}
"""How many of them a round has, where they are more than usual. Two of the same process then agree to a few thousandths
within some hundred turns, which they do not with longer blocks: the machine has changed by the time of the next one."""
_USUAL_TURNS = 5

Key = tuple[Block, str]


@dataclass(slots=True)
class Findings:
    """What the rounds have found.

    took: block and process to the nanoseconds of one repetition, once for each block that was measured. pairs: likewise
    the answers, once for each turn of `PAIRS`. aliases: which databases answered. left_out: how many blocks do not
    count, because Readshift had them read from the primary. measured: how many blocks there were.
    """

    took: dict[Key, list[float]] = field(default_factory=dict)
    pairs: dict[Key, list[Answer]] = field(default_factory=dict)
    aliases: dict[Key, set[str]] = field(default_factory=dict)
    left_out: int = 0
    measured: int = 0

    def note(self, block: Block, name: str, answer: Answer) -> None:
        """Take down what one block has shown."""
        if self._counts(name, answer):
            self.took.setdefault((block, name), []).append(answer.nanoseconds)
            self.aliases.setdefault((block, name), set()).update(answer.aliases)

    def note_turn(self, block: Block, answers: Mapping[str, Answer]) -> None:
        """Take down what one turn has shown, if all of it counts."""
        counting = [self._counts(name, answer) for name, answer in answers.items()]
        if all(counting):
            for name, answer in answers.items():
                self.pairs.setdefault((block, name), []).append(answer)
                self.took.setdefault((block, name), []).append(answer.nanoseconds)

    def _counts(self, name: str, answer: Answer) -> bool:
        is_routed = CREW[name][0] != OWN or answer.aliases <= {REPLICA}
        self.measured += 1
        self.left_out += not is_routed
        return is_routed


def take_turns(crew: Mapping[str, Worker], rounds: int, dice: Random, findings: Findings) -> None:
    """Let these processes measure for so many rounds, and add what they find."""
    times = {(block, name): _warm_up(worker, block) for block in BLOCKS for name, worker in crew.items()}
    for worker in crew.values():
        worker.settle()
    for _ in range(rounds):
        for block, name in dice.sample(list(times), len(times)):
            findings.note(block, name, crew[name].measure(block, times[block, name]))
        for block, paired in PAIRS.items():
            for _ in range(_TURNS.get(block, _USUAL_TURNS)):
                names = dice.sample(paired, len(paired))
                findings.note_turn(block, {name: crew[name].measure(block, times[block, name]) for name in names})


def _warm_up(worker: Worker, block: Block) -> int:
    """Have it measure until everything is loaded, and return how often it is to repeat what one block is made of."""
    times = _REPETITIONS.get(block, _FEWEST_DECISIONS)
    taken = [worker.measure(block, times).nanoseconds for _ in range(_WARM_UP_TURNS)]
    return times if block in _REPETITIONS else decisions_for(min(taken))


def decisions_for(nanoseconds: float) -> int:
    """Return how many decisions fill a block that is short enough to be seldom disturbed."""
    return max(_FEWEST_DECISIONS, min(_MOST_DECISIONS, round(_BLOCK_NANOSECONDS / nanoseconds)))
