"""Why a server did not answer a worker, said without anything that the statement or the rows hold. Pure."""

import psycopg
from psycopg import errors

from rollout.outcomes import ShadowCause

_CONNECTION_FAILS = "08"
_BY_STATE = {
    "57014": ShadowCause.TIMEOUT,  # the statement's, or somebody cancelled it
    "55P03": ShadowCause.TIMEOUT,  # that for locks
    "25P03": ShadowCause.UNREACHABLE,  # the server ended the connection, as with those that follow
    "25P04": ShadowCause.UNREACHABLE,
    "57P01": ShadowCause.UNREACHABLE,
    "57P02": ShadowCause.UNREACHABLE,
    "57P03": ShadowCause.UNREACHABLE,
    "57P05": ShadowCause.UNREACHABLE,
    "53300": ShadowCause.UNREACHABLE,
}
# On a standby only replay changes anything, so only replay conflicts with a read.
_CONFLICTS = frozenset({"40001", "40P01", "57P04"})


class ReadError(Exception):
    """A server gave no answer.

    words: the SQLSTATE and the name of its condition. What the server says besides may quote the statement.
    """

    def __init__(self, alias: str, cause: ShadowCause, words: str) -> None:
        self.alias, self.cause, self.words = alias, cause, words
        super().__init__(f"The server {alias!r} gave no answer: {words}.")


def describe(error: psycopg.Error, *, is_standby: bool) -> tuple[ShadowCause, str]:
    """Return the cause and the words for what psycopg raised."""
    state = error.sqlstate
    if state is None:
        # psycopg refuses some itself, and then the server is not to blame.
        cause = ShadowCause.REFUSED if isinstance(error, psycopg.NotSupportedError) else ShadowCause.UNREACHABLE
        return cause, type(error).__name__
    return _cause(state, is_standby), f"{state} {_condition(state)}".strip()


def _cause(state: str, is_standby: bool) -> ShadowCause:
    if state.startswith(_CONNECTION_FAILS):
        return ShadowCause.UNREACHABLE
    if is_standby and state in _CONFLICTS:
        return ShadowCause.CONFLICT
    return _BY_STATE.get(state, ShadowCause.REFUSED)


def _condition(state: str) -> str:
    try:
        return errors.lookup(state).__name__
    except KeyError:
        return ""
