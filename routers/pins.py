"""The timer that keeps an actor on the primary for a moment after it wrote."""

from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from rollout.settings import get_settings

COOKIE = "readshift_pin"
FOR_EVER = float("inf")

_signer = signing.Signer(salt="readshift.pin")


def read_cookie(request: HttpRequest) -> float:
    """Return until when the client is pinned, in seconds since the epoch; 0 without a cookie.

    A cookie that we did not sign pins the request: a client can force the primary and nothing else.
    """
    value = request.COOKIES.get(COOKIE)
    if value is None:
        return 0.0
    try:
        return float(_signer.unsign(value))
    except (signing.BadSignature, ValueError):
        return FOR_EVER


def set_cookie(response: HttpResponseBase, until: float, *, secure: bool) -> None:
    """Pin the client until this time. The cookie outlives no pin."""
    response.set_cookie(
        COOKIE,
        _signer.sign(repr(until)),
        max_age=round(get_settings().write_pin_seconds) + 1,
        httponly=True,
        samesite="Lax",
        secure=secure,
    )


def read_cache(actor: str) -> float:
    """Return until when an actor without cookies is pinned. Costs a cache call; only such actors pay it."""
    until = cache.get(_key(actor))
    return until if isinstance(until, float) else 0.0


def set_cache(actor: str, until: float) -> None:
    """Pin an actor whose client keeps no cookies."""
    cache.set(_key(actor), until, timeout=round(get_settings().write_pin_seconds) + 1)


def _key(actor: str) -> str:
    return f"readshift:pin:{actor}"
