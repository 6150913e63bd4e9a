"""The closed sets of codes that say how a shadow read ended, and why."""

from django.db.models import TextChoices


class Outcome(TextChoices):
    """How the comparison of one read ended. The values are stored, counted and shown, so they keep their meaning."""

    EQUAL = "equal", "Equal"
    CAUGHT_UP = "caught_up", "Equal once the replica had caught up"
    DIVERGENT = "divergent", "Divergent: the replica differs where the primary does not change"
    INCONCLUSIVE = "inconclusive", "Inconclusive"
    ERROR = "error", "Error"

    @property
    def needs_look(self) -> bool:
        """Whether somebody may have to find out why it ended so: it is neither equal nor only late."""
        return self not in {Outcome.EQUAL, Outcome.CAUGHT_UP}


class ShadowCause(TextChoices):
    """Why the answers differ, or why nothing can be said. Stored, counted and shown likewise."""

    MISSING_ROW = "missing_row", "The replica lacks rows"
    EXTRA_ROW = "extra_row", "The replica has rows that the primary has not"
    CHANGED_COLUMN = "changed_column", "Columns of a row differ"
    ORDER = "order", "The same rows in another order"
    TYPE = "type", "Columns or their types differ"
    COLLATION = "collation", "The servers sort text differently"
    SETTINGS = "settings", "Settings of the servers differ"
    NONDETERMINISTIC = "nondeterministic", "The statement need not answer the same twice"
    MOVED = "moved", "The primary's own answer kept changing"
    BEHIND = "behind", "The replica did not catch up in time"
    UNFIT_REPLICA = "unfit_replica", "The replica was down, or too far behind to be asked"
    TIMEOUT = "timeout", "A server took longer than it may"
    CONFLICT = "conflict", "Recovery conflicts kept cancelling the read"
    UNREACHABLE = "unreachable", "A server could not be reached"
    REFUSED = "refused", "A server refused the statement"
    UNREADABLE = "unreadable", "What was captured cannot be read"
    ABANDONED = "abandoned", "No worker finished the comparison"

    @property
    def is_difference(self) -> bool:
        """Whether it says how two answers differ."""
        return self in _DIFFERENCES


_DIFFERENCES = frozenset(
    {
        ShadowCause.MISSING_ROW,
        ShadowCause.EXTRA_ROW,
        ShadowCause.CHANGED_COLUMN,
        ShadowCause.ORDER,
        ShadowCause.TYPE,
        ShadowCause.COLLATION,
        ShadowCause.SETTINGS,
    }
)


class CaptureFate(TextChoices):
    """What became of a read that was chosen to be compared, up to the worker. Stored, counted and shown likewise."""

    CAPTURED = "captured", "Captured"
    OVER_RATE = "over_rate", "Left out: the rule's cap per second was reached"
    QUEUE_FULL = "queue_full", "Dropped: too many were waiting to be written"
    TOO_LARGE = "too_large", "Left out: the statement is too long"
    NOT_PLAIN = "not_plain", "Left out: not a plain SELECT"
    CURSOR = "cursor", "Left out: a server-side cursor"
    SESSION_STATE = "session_state", "Left out: SESSION_STATE sets what a worker does not know"
    NOT_WRITTEN = "not_written", "Dropped: the primary did not take it"
    NOT_SENT = "not_sent", "Written, but the broker did not take the message: the next schedule picks it up"
