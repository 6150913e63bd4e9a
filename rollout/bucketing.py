"""Which bucket an actor falls into: the one hash behind every percentage, and the choice of a replica.

Both functions are frozen. A changed result would move users between databases on an upgrade, so the vectors in
`tests/rollout/test_bucketing.py` pin them.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b

BUCKETS = 100_000
"""The resolution of a percentage: 0.001 percent is one bucket."""

_HASH_BITS = 64
_WHOLE = 100


def _hash(purpose: bytes, salt: str, actor: str) -> int:
    digest = blake2b(f"{salt}\0{actor}".encode(), digest_size=_HASH_BITS // 8, person=purpose).digest()
    return int.from_bytes(digest, "big")


def bucket(flag: str, actor: str) -> int:
    """Return the actor's bucket for this flag, from 0 to `BUCKETS` - 1.

    The hash is BLAKE2b with a 64-bit digest, read as a big-endian number, the personalisation `readshift.bucket`, and
    the UTF-8 bytes of the flag's name, a NUL and the actor's key as input. It is scaled to the buckets by
    multiplication (Lemire, "Fast Random Integer Generation in an Interval", 2019), whose bias is below 1 in 10^14 here.
    The flag's name is the salt, so that two flags at the same percentage choose different actors.
    """
    return _hash(b"readshift.bucket", flag, actor) * BUCKETS >> _HASH_BITS


def threshold(percent: Decimal | None) -> int:
    """Return how many buckets a percentage opens. An actor is in while its bucket is below this number.

    Growing the percentage therefore only adds actors, and shrinking it only removes them. Values outside 0 to 100,
    which validation refuses but a hand-written UPDATE may store, count as 0: in doubt, the read goes to the primary.
    """
    if percent is None or percent.is_nan() or not 0 <= percent <= _WHOLE:
        return 0
    return int(percent * BUCKETS / _WHOLE)


def choose(weights: Mapping[str, int], actor: str) -> str | None:
    """Return the name this actor keeps to among weighted names, or None when none has a weight above 0."""
    return next(iter(rank(weights, actor)), None)


def rank(weights: Mapping[str, int], actor: str) -> list[str]:
    """Return the names with a weight above 0, from the one that this actor keeps to, to the last that takes its place.

    Weighted rendezvous hashing: each name scores `-weight / ln(u)` with u a hash of name and actor in (0, 1), and the
    highest score wins (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005). A name that joins takes
    only its share of the actors, and one that leaves gives up only its own.

    The hash is that of `bucket` with the personalisation `readshift.choice` and the name in the flag's place. Its upper
    52 bits are as many as leave `(hash + 0.5) / 2**52` exact, and so never rounded up to 1, whose logarithm is 0.
    """
    scores = [
        (-weight / math.log(((_hash(b"readshift.choice", name, actor) >> 12) + 0.5) / 2**52), name)
        for name, weight in weights.items()
        if weight > 0
    ]
    return [name for _, name in sorted(scores, reverse=True)]
