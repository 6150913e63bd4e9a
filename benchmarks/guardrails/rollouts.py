"""One simulated rollout, from its first stage to its end."""

from dataclasses import dataclass, replace
from random import Random

from benchmarks.guardrails.thresholds import FixedThreshold
from benchmarks.guardrails.traffic import WINDOW_SECONDS, Path, Regression
from rollout.guardrails import Guardrail, share_out, usual
from rollout.judging import judge
from rollout.standings import Standing, update
from rollout.verdicts import Decision, Finding, decide
from rollout.windows import Window

FLAGGER_CHECKS = 10
ARGO_CHECKS = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """A share of the units, and for how long at least."""

    percent: float
    seconds: int


STAGES = (Stage(1, 300), Stage(5, 300), Stage(25, 600), Stage(50, 600), Stage(100, 600))
LONGEST_SECONDS = 12 * 3600
_GOES_ON_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Begin:
    """When what gets worse: so many seconds after the beginning of a stage."""

    regression: Regression
    stage: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How a rollout ended.

    Attributes:
        rate: units a second of its path.
        seconds: how long it took.
        is_back: whether the guardrails took it back, after the regression had begun if it has one.
        is_early: whether they took it back before that.
        is_held: whether it waited for longer than anybody would.
        sample: units of the replica's arm, or shadow reads, since the regression began.
        sample_seconds: time since then.
        flagger: whether fixed thresholds would have taken it back, after the regression had begun if it has one.
        argo: whether the stricter ones would have.
    """

    rate: float
    seconds: float
    is_back: bool
    is_early: bool
    is_held: bool
    sample: int
    sample_seconds: float
    flagger: bool
    argo: bool


class Watch:
    """The guardrails of a rollout, as a scheduler would look at them."""

    def __init__(self, path: Path) -> None:
        stale = replace(usual("stale_share"), floor=path.floor)
        self._standings: list[tuple[Guardrail, Standing]] = [
            (guardrail, Standing()) for guardrail in share_out([usual("error_rate"), usual("latency_ratio"), stale])
        ]

    def look(self, window: Window) -> Decision:
        """Take one window and return what becomes of the rollout."""
        self._standings = [(guardrail, update(guardrail, before, window)) for guardrail, before in self._standings]
        return decide(judge(guardrail, standing) for guardrail, standing in self._standings)


class Rollout:
    """A rollout of a path of its own, with something that gets worse or not."""

    def __init__(self, random: Random, begin: Begin | None = None) -> None:
        self._random, self._begin = random, begin
        self._path = Path.drawn(random)
        self._watch = Watch(self._path)
        self._seconds, self._sample = 0.0, 0
        self._begun_at: float | None = None
        self._set_thresholds()

    def run(self) -> Ended:
        """Simulate it to its end."""
        finding = Finding.PASS
        for number, stage in enumerate(STAGES):
            finding = self._stage(number, stage)
            if finding is not Finding.PASS:
                break
        seconds, failed = self._seconds, finding is Finding.FAIL
        is_early = failed and self._begin is not None and self._begun_at is None
        ended = Ended(
            rate=self._path.rate,
            seconds=seconds,
            is_back=failed and not is_early,
            is_early=is_early,
            is_held=finding is Finding.HOLD,
            sample=self._sample,
            sample_seconds=seconds - (self._begun_at or 0.0),
            flagger=False,
            argo=False,
        )
        if failed and not is_early:
            end = seconds + _GOES_ON_SECONDS
            while self._seconds < end and not (self._flagger.has_fired and self._argo.has_fired):
                self._window(number, stage, 0.0)
        has_begun = self._begin is None or self._begun_at is not None
        return replace(ended, flagger=has_begun and self._flagger.has_fired, argo=has_begun and self._argo.has_fired)

    def _stage(self, number: int, stage: Stage) -> Finding:
        """Return PASS for going on, FAIL for going back, HOLD for waiting longer than anybody would."""
        began = self._seconds
        while self._seconds < began + LONGEST_SECONDS:
            window = self._window(number, stage, began)
            finding = self._watch.look(window).finding
            if finding is Finding.FAIL:
                return finding
            if finding is Finding.PASS and self._seconds >= began + stage.seconds:
                return finding
        return Finding.HOLD

    def _window(self, number: int, stage: Stage, began: float) -> Window:
        begin = self._begin
        if begin and self._begun_at is None and number == begin.stage and self._seconds >= began + begin.seconds:
            self._begun_at = self._seconds
            self._set_thresholds()
        worse = (begin.regression,) if begin and self._begun_at is not None else ()
        window = self._path.window(self._random, number, stage.percent, self._seconds, worse)
        self._seconds += WINDOW_SECONDS
        if worse:
            self._sample += window.compared if Regression.STALE in worse else window.replica.units
        self._flagger.look(window)
        self._argo.look(window)
        return window

    def _set_thresholds(self) -> None:
        self._flagger = FixedThreshold(FLAGGER_CHECKS, missing_fails=True, floor=self._path.floor)
        self._argo = FixedThreshold(ARGO_CHECKS, missing_fails=False, floor=self._path.floor)
