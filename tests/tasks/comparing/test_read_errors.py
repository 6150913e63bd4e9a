"""Which cause an error has, and that it quotes nothing."""

import psycopg
import pytest
from psycopg import errors

from rollout.outcomes import ShadowCause
from tasks.comparing.read_errors import describe


class UnknownError(psycopg.Error):
    sqlstate = "XX999"


@pytest.mark.parametrize(
    ("error", "is_standby", "cause", "words"),
    [
        (errors.QueryCanceled("secret"), True, ShadowCause.TIMEOUT, "57014 QueryCanceled"),
        (errors.LockNotAvailable("secret"), False, ShadowCause.TIMEOUT, "55P03 LockNotAvailable"),
        (errors.SerializationFailure("secret"), True, ShadowCause.CONFLICT, "40001 SerializationFailure"),
        (errors.SerializationFailure("secret"), False, ShadowCause.REFUSED, "40001 SerializationFailure"),
        (errors.DeadlockDetected("secret"), True, ShadowCause.CONFLICT, "40P01 DeadlockDetected"),
        (errors.DatabaseDropped("secret"), True, ShadowCause.CONFLICT, "57P04 DatabaseDropped"),
        (errors.AdminShutdown("secret"), True, ShadowCause.UNREACHABLE, "57P01 AdminShutdown"),
        (errors.CannotConnectNow("secret"), True, ShadowCause.UNREACHABLE, "57P03 CannotConnectNow"),
        (errors.ConnectionFailure("secret"), True, ShadowCause.UNREACHABLE, "08006 ConnectionFailure"),
        (psycopg.OperationalError("secret"), False, ShadowCause.UNREACHABLE, "OperationalError"),
        (psycopg.NotSupportedError("secret"), False, ShadowCause.REFUSED, "NotSupportedError"),
        (errors.ReadOnlySqlTransaction("secret"), True, ShadowCause.REFUSED, "25006 ReadOnlySqlTransaction"),
        (errors.InsufficientPrivilege("secret"), True, ShadowCause.REFUSED, "42501 InsufficientPrivilege"),
        (UnknownError("secret"), True, ShadowCause.REFUSED, "XX999"),
    ],
)
def test_an_error_has_a_cause_and_the_name_of_its_condition(
    error: psycopg.Error, is_standby: bool, cause: ShadowCause, words: str
) -> None:
    assert describe(error, is_standby=is_standby) == (cause, words)
