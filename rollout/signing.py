"""Signatures of messages that go from one program to another: HMAC-SHA256 of the time and the body. Pure.

A header holds both, as in `t=1767225600,v1=5257…`, where what is signed is `<t>.<body>`; Stripe's webhooks have the
same form. The time is signed as well, so that an old message cannot be sent again with a new one. Grafana sends the two
in headers of their own, and signs `<t>:<body>`; that is understood as well.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

HEADER = "Readshift-Signature"
TIME_HEADER = "Readshift-Timestamp"
TOLERANCE_SECONDS = 300
"""How far apart the clocks of sender and receiver, and the times of sending and arrival, may be."""

SHORTEST_SECRET = 32
"""Characters of a secret. Thirty-two random hexadecimal digits are 128 bits."""

_SIGNED = re.compile(r"t=(?P<moment>[0-9]{1,12}),v1=(?P<digest>[0-9a-f]{64})", re.ASCII)
_SIGNED_BY_GRAFANA = re.compile(r"t=(?P<moment>[0-9]{1,12}) (?P<digest>[0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who has signed. secret: its place among the secrets, from 0. signature: 32 bytes, which no other call shares."""

    secret: int
    signature: bytes


def sign(body: bytes, secret: str, at: float) -> str:
    """Return the header for a body that is sent at this time, in seconds since 1970."""
    moment = str(int(at))
    return f"t={moment},v1={_digest(f'{moment}.', body, secret)}"


def verify(header: str, body: bytes, secrets: Sequence[str], now: float, sent_at: str = "") -> Signed | None:
    """Return who has signed this body with one of the secrets, or None for a wrong, old or malformed signature.

    sent_at: the time, where it is not in the header.
    """
    if sent_at:
        written, mark = _SIGNED_BY_GRAFANA.fullmatch(f"t={sent_at} {header}"), ":"
    else:
        written, mark = _SIGNED.fullmatch(header), "."
    if written is None or abs(now - int(written["moment"])) > TOLERANCE_SECONDS:
        return None
    for number, secret in enumerate(secrets):
        if hmac.compare_digest(_digest(f"{written['moment']}{mark}", body, secret), written["digest"]):
            return Signed(number, bytes.fromhex(written["digest"]))
    return None


def place_of(credential: str, secrets: Sequence[str]) -> int | None:
    """Return the place of a secret that was sent as it is, or None if it is none of them."""
    for number, secret in enumerate(secrets):
        if hmac.compare_digest(credential.encode(), secret.encode()):
            return number
    return None


def _digest(moment: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), moment.encode() + body, sha256).hexdigest()
