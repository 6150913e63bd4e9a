"""Every metric there is: its name, unit and labels, as Prometheus and as OpenTelemetry have them. Pure."""

from dataclasses import dataclass
from enum import Enum

OTHER = "(other)"
"""Stands for the endpoints beyond `READSHIFT["METRICS_TARGETS"]`."""

_SUFFIXES = {"s": "_seconds", "1": "_ratio"}


class Kind(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    name: with dots, as OpenTelemetry writes it. unit: after UCUM: "s" for seconds, "1" for shares of one, a noun in
    braces for things that are counted, and empty where the number is a state.
    """

    name: str
    kind: Kind
    words: str
    labels: tuple[str, ...] = ()
    unit: str = ""

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus, without the suffixes of counters and histograms."""
        return self.name.replace(".", "_") + _SUFFIXES.get(self.unit, "")

    @property
    def exposed_names(self) -> tuple[str, ...]:
        """The names of its series in Prometheus."""
        suffixes = {Kind.COUNTER: ("_total",), Kind.GAUGE: ("",), Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
        return tuple(self.prometheus_name + suffix for suffix in suffixes[self.kind])


_RULE = ("target_kind", "target")

READS = Family(
    "readshift.reads",
    Kind.COUNTER,
    "Reads on the wire since midnight UTC, by the server that ran them and why it did.",
    ("cluster", "alias", "endpoint", "reason"),
    "{read}",
)
DECISIONS = Family(
    "readshift.decisions",
    Kind.COUNTER,
    "Answers of the router since midnight UTC.",
    ("cluster", "alias", "reason"),
    "{decision}",
)
REPLAYS = Family(
    "readshift.replays",
    Kind.COUNTER,
    "Reads since midnight UTC that a server failed to answer and another one answered.",
    ("cluster", "alias", "answered_by", "cause"),
    "{read}",
)
CAPTURES = Family(
    "readshift.shadow.captures",
    Kind.COUNTER,
    "Reads since midnight UTC that were chosen to be compared, by what became of them up to the worker.",
    ("cluster", "fate"),
    "{read}",
)
FAILED_UNITS = Family(
    "readshift.units.failed",
    Kind.COUNTER,
    "Requests, tasks, commands and blocks since midnight UTC that failed.",
    ("endpoint",),
    "{unit}",
)
UNIT_DURATION = Family(
    "readshift.unit.duration",
    Kind.HISTOGRAM,
    "How long requests, tasks, commands and blocks since midnight UTC took. "
    "The sum is estimated: to 8 % up to 35 s, and as 35 s beyond.",
    ("endpoint",),
    "s",
)
SHADOW_READS = Family(
    "readshift.shadow.reads",
    Kind.GAUGE,
    "Shadow reads of a rule that were compared within the last 24 hours and are kept, by outcome.",
    (*_RULE, "outcome"),
    "{read}",
)
UNSEEN_DIVERGENT = Family(
    "readshift.shadow.divergent.unseen",
    Kind.GAUGE,
    "Divergent shadow reads of a rule within the last 24 hours that nobody has looked at.",
    _RULE,
    "{read}",
)
RULES = Family("readshift.rules", Kind.GAUGE, "Rules, by mode.", ("mode",), "{rule}")
RULE_SHARE = Family(
    "readshift.rule.share", Kind.GAUGE, "The share of actors that a rule sends to replicas.", (*_RULE, "mode"), "1"
)
PLAN_STATE = Family(
    "readshift.plan.state", Kind.GAUGE, "1 for the state that the plan of a rule is in.", (*_RULE, "state")
)
PLAN_STAGE = Family(
    "readshift.plan.stage", Kind.GAUGE, "The number of the stage that a plan is in, from 1.", _RULE, "{stage}"
)
PLAN_STAGES = Family("readshift.plan.stages", Kind.GAUGE, "How many stages a plan has.", _RULE, "{stage}")
PLAN_SHARE = Family("readshift.plan.share", Kind.GAUGE, "The share of actors that a plan has set last.", _RULE, "1")
PLAN_LOOKED = Family(
    "readshift.plan.looked.timestamp", Kind.GAUGE, "When somebody last looked after a plan, in Unix time.", _RULE, "s"
)
VERDICTS = Family(
    "readshift.guardrail.verdict",
    Kind.GAUGE,
    "1 for the latest verdict of a plan's guardrail. In trial it only says what it would have done.",
    (*_RULE, "guardrail", "verdict", "trial"),
)
KILL_SWITCH = Family("readshift.kill_switch.on", Kind.GAUGE, "1 while rules decide, 0 while all reads use the primary.")
REVISION = Family("readshift.policy.revision", Kind.GAUGE, "The current revision of the policy.")
PROCESSES = Family(
    "readshift.processes",
    Kind.GAUGE,
    "Processes by whether they act on the current revision: current, behind, or gone without a goodbye.",
    ("state",),
    "{process}",
)
READABLE = Family(
    "readshift.counts.readable",
    Kind.GAUGE,
    "1 if the tables could be read. 0 if their database did not answer in time or migrate was not run, which the log "
    "tells; then only what the process that answers sees is there.",
)
DRAINED = Family("readshift.replica.drained", Kind.GAUGE, "1 while an operator has drained the replica.", ("alias",))
FIT = Family(
    "readshift.replica.fit",
    Kind.GAUGE,
    "1 if the process that answers would read from the replica, 0 if not, and why.",
    ("cluster", "alias", "pool", "state"),
)
LAG = Family(
    "readshift.replica.lag",
    Kind.GAUGE,
    "How far the replica is behind at most, as the process that answers sees it. Missing while that is not known.",
    ("cluster", "alias", "pool"),
    "s",
)
PRIMARY_DOWN = Family(
    "readshift.primary.down",
    Kind.GAUGE,
    "1 if the primary does not answer the process that answers.",
    ("cluster",),
)

COUNTED = (READS, DECISIONS, REPLAYS, CAPTURES, FAILED_UNITS, UNIT_DURATION)
STORED = (
    SHADOW_READS,
    UNSEEN_DIVERGENT,
    RULES,
    RULE_SHARE,
    PLAN_STATE,
    PLAN_STAGE,
    PLAN_STAGES,
    PLAN_SHARE,
    PLAN_LOOKED,
    VERDICTS,
    KILL_SWITCH,
    REVISION,
    PROCESSES,
    DRAINED,
    READABLE,
)
SEEN = (FIT, LAG, PRIMARY_DOWN)
"""What each process sees with its own eyes. All others come from the tables, where every process reads the same."""

FAMILIES = (*COUNTED, *STORED, *SEEN)
