"""The closed sets of codes that say why a read went where it went, and why it was asked again."""

from django.db.models import TextChoices


class Reason(TextChoices):
    """Why an alias was chosen. The values are stored, counted and shown, so they never change their meaning.

    The order is that of the ladder in `routers.ladder`, which ends with those that lead to a replica.
    """

    OUTSIDE_UNIT = "outside_unit", "Outside a request, task, command or unit block"
    DISABLED = "disabled", "Routing is switched off in the settings, or because this is a test"
    POLICY_MISSING = "policy_missing", "This process has not read its policy yet"
    POLICY_STALE = "policy_stale", "This process could not refresh its policy for too long"
    KILL_SWITCH = "kill_switch", "The kill switch is off"
    ROUTER_ERROR = "router_error", "Readshift itself failed, and was logged"
    DECIDING = "deciding", "Asked while a gate was being evaluated"
    DENIED = "denied", "The model is on the deny list"
    FORCED_PRIMARY = "forced_primary", "Inside use_primary()"
    UNSAFE_METHOD = "unsafe_method", "The HTTP method may write"
    IN_TRANSACTION = "in_transaction", "Inside a transaction on the primary"
    HAS_WRITTEN = "has_written", "This unit has written"
    NO_RULE = "no_rule", "No rule matches the endpoint or the model"
    PINNED = "pinned", "A rule pins it to the primary"
    CONTRADICTION = "contradiction", "Rules that match name different pools"
    GATE_MISSING = "gate_missing", "The rule's flag, switch or sample does not exist"
    GATE_OFF = "gate_off", "The rule's gate is off for this actor"
    STRICT = "strict", "The contract is strict"
    NO_REPLICA = "no_replica", "The pool has no replica"
    UNFIT_REPLICA = "unfit_replica", "The actor's replica is down, slow, too far behind, or not known to be fit"
    FOREIGN_TOKEN = "foreign_token", "The client or the caller sent a token that is not ours"
    BEHIND = "behind", "The actor's replica is not known to show what this actor wrote or saw"
    TOO_OLD = "too_old", "The actor's replica is older than the contract allows"
    REPLAYED = "replayed", "A replica failed to answer, and another server was asked"
    OVER_BUDGET = "over_budget", "The fallback budget is used up, and the primary was read all the same"
    SHED = "shed", "The fallback budget is used up, so the read was refused"
    OBSERVED = "observed", "Observed only: a replica would have served it"
    WRITE = "write", "A write, or a read on behalf of one"
    DIRECT = "direct", "Sent to an alias without asking the router"
    STALE = "stale", "The fallback budget is used up, so an older replica served it"
    FORCED_REPLICA = "forced_replica", "Inside use_replica()"
    ROUTED = "routed", "A rule routes it"

    @property
    def chooses_replica(self) -> bool:
        return self in {Reason.STALE, Reason.FORCED_REPLICA, Reason.ROUTED}

    @property
    def is_up_to_rules(self) -> bool:
        """Whether nothing but what rules say, or the lack of one, keeps the read on the primary."""
        return self in {
            Reason.NO_RULE,
            Reason.PINNED,
            Reason.CONTRADICTION,
            Reason.GATE_MISSING,
            Reason.GATE_OFF,
            Reason.OBSERVED,
        }

    @property
    def blames_replicas(self) -> bool:
        """Whether a replica would have served the read, had one been fit for it."""
        return self in {
            Reason.NO_REPLICA,
            Reason.UNFIT_REPLICA,
            Reason.FOREIGN_TOKEN,
            Reason.BEHIND,
            Reason.TOO_OLD,
            Reason.REPLAYED,
            Reason.OVER_BUDGET,
        }


class Cause(TextChoices):
    """Why a server did not answer a read, which was then asked again elsewhere. Stored, counted and shown likewise."""

    REFUSED = "refused", "The connection was refused"
    LOST = "lost", "The connection broke"
    CUT = "cut", "The server did not answer in time, and the connection was cut"
    CONFLICT = "conflict", "A recovery conflict cancelled the read"
    ENDED = "ended", "The server ended the connection"
    POOL = "pool", "No connection was free in the pool"
