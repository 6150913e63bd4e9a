"""What capturing costs a request: the same page of servers whose rules capture its reads, and of one that has none."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.idle import Idleness
from benchmarks.progress import say
from benchmarks.shadow.figures import Figures, Rounds, UnsoundError, ratio, spread
from benchmarks.shadow.stack import Stack
from benchmarks.shadow.turns import WARM_UP_ROUNDS, take_turns

PLAIN, CONTROL, CAPPED, UNCAPPED = "plain", "control", "capped", "uncapped"
"""Without capture; once more without; at most as many reads a second as a rule captures by default; all reads."""

BLOCKS = 3
"""Each with new processes: two of the same program differ by some percent as long as they live."""

_THREADS = 2
_WARM_UP_SECONDS = 60.0


def run(stack: Stack, seconds: float) -> Figures:
    """Measure for so long, all blocks together."""
    errors: Counter[str] = Counter()
    with stack.broker(), stack.worker("--concurrency=2"):
        blocks = [_block(stack, seconds / BLOCKS, number, errors, ExitStack()) for number in range(BLOCKS)]
    return Figures(request_overhead_ratio=_judge("overhead", blocks, errors), http_errors=errors.total())


def run_without_broker(stack: Stack, seconds: float) -> Figures:
    """Measure likewise while the broker is down."""
    errors: Counter[str] = Counter()
    blocks = []
    for number in range(BLOCKS):
        with ExitStack() as broker:
            broker.enter_context(stack.broker())
            # It ends with the broker: Celery's workers may not survive one that goes away.
            broker.enter_context(stack.worker("--concurrency=2"))
            blocks.append(_block(stack, seconds / BLOCKS, number, errors, broker))
    return Figures(broker_down_ratio=_judge("broker_down", blocks, errors), http_errors=errors.total())


def _block(stack: Stack, seconds: float, number: int, errors: Counter[str], broker: ExitStack) -> Rounds:
    """Measure servers that were just started. broker: closed when they have all been asked for a while."""
    with ExitStack() as servers:
        names = (PLAIN, CONTROL, CAPPED, UNCAPPED)
        urls = {name: servers.enter_context(stack.web(name, threads=_THREADS)) for name in names}
        since = stack.reports.last()
        take_turns(urls, _WARM_UP_SECONDS, number, errors, rounds=WARM_UP_ROUNDS)
        broker.close()
        idleness = Idleness()
        took = take_turns(urls, seconds, number, errors)
        idle = idleness.share()
    for name in (CAPPED, UNCAPPED):
        if not stack.reports.count(since, f"page-{name}"):
            raise UnsoundError(f"Nothing was captured of the server {name!r}, so that its times say nothing.")
    if idle is not None:
        say("overhead", f"block {number + 1} of {BLOCKS}: {idle:.0%} of the processors' time was idle")
    return took


def _judge(phase: str, blocks: Sequence[Rounds], errors: Counter[str]) -> float:
    say(phase, f"{CONTROL}: {ratio(blocks, CONTROL, PLAIN):.4f}, by block {spread(blocks, CONTROL, PLAIN)}")
    for name in (CAPPED, UNCAPPED):
        say(
            phase, f"{name}: {ratio(blocks, name, PLAIN, CONTROL):.4f}, by block {spread(blocks, name, PLAIN, CONTROL)}"
        )
    say(phase, f"{sum(len(block[PLAIN]) for block in blocks)} rounds, errors: {dict(errors)}")
    return ratio(blocks, UNCAPPED, PLAIN, CONTROL)
