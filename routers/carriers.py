"""How tokens travel: in a cookie, in the shared cache under the actor, and in a header between services."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings as django_settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponseBase

from rollout.settings import get_settings
from routers.tokens import NOTHING, Token, decode, encode, lifetime_seconds, pinned

logger = logging.getLogger("readshift")

COOKIE = "readshift_token"
ERRAND_COOKIE = "readshift_errand"
"""Says that tasks may write for this client, so that the cache is looked into. It is of no use to whoever forges it."""

ERRAND_SECONDS = 3_600
LONGEST_ERRAND_SECONDS = 600.0
"""How long an actor reads from the primary because of a task that wrote and never ended, killed by a signal."""

_A_MOMENT_SECONDS = 1.0
_LOCK_SECONDS = 5
_LOCK_TRIES = 100
_LOCK_PAUSE_SECONDS = 0.005


def from_cookie(request: HttpRequest) -> Token:
    """Return the token in the client's cookie. One that we did not sign is foreign: it forces the primary."""
    text = request.COOKIES.get(COOKIE)
    return NOTHING if text is None else decode(text, time.time())


def from_header(request: HttpRequest) -> Token:
    """Return the token that another service sent, if this project reads that header."""
    name = get_settings().token_header
    text = request.headers.get(name) if name else None
    return NOTHING if text is None else decode(text, time.time())


def has_token(request: HttpRequest) -> bool:
    """Say whether the client or the caller sent a token, of whatever kind, without looking at it."""
    name = get_settings().token_header
    # Few requests have one, and cookies are not taken apart for the others.
    has_cookie = COOKIE in request.META.get("HTTP_COOKIE", "") and COOKIE in request.COOKIES
    return has_cookie or (name is not None and name in request.headers)


def set_cookie(response: HttpResponseBase, token: Token, *, secure: bool) -> None:
    """Give the client its token. The cookie goes where the session's cookie goes."""
    _set(response, COOKIE, encode(token), round(lifetime_seconds(get_settings())), secure=secure)


def set_errand_cookie(response: HttpResponseBase, *, secure: bool) -> None:
    """Let the client's next requests look into the cache for what its tasks have written."""
    _set(response, ERRAND_COOKIE, "1", ERRAND_SECONDS, secure=secure)


def set_header(response: HttpResponseBase, token: Token) -> None:
    """Tell a calling service what was written for it, if this project uses a header for that."""
    if name := get_settings().token_header:
        response[name] = encode(token)


def _set(response: HttpResponseBase, name: str, value: str, seconds: int, *, secure: bool) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=django_settings.SESSION_COOKIE_PATH,
        domain=django_settings.SESSION_COOKIE_DOMAIN,
        secure=secure or django_settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite=django_settings.SESSION_COOKIE_SAMESITE,
    )


def from_cache(actor: str) -> Token:
    """Return the token that units without cookies left for this actor. Costs a cache call.

    While one of them is under way that has written, or when the cache does not answer, only the primary will do.
    """
    now = time.time()
    try:
        entry = _cache().get(_key(actor))
    except Exception:
        logger.exception("The cache did not say what an actor has written, so its reads go to the primary.")
        return _only_primaries(now)
    match entry:
        case None:
            return NOTHING
        case {"token": str() | None as text, "errands": dict() as errands}:
            token = decode(text, now) if text else NOTHING
            return token.merge(_only_primaries(now)) if any(until > now for until in errands.values()) else token
        case _:
            # Another version of us wrote it.
            return _only_primaries(now)


def leave_in_cache(actor: str, token: Token, errand: str = "") -> None:
    """Leave a token for the actor's next units, and end the errand that was announced under this name."""

    def leave(entry: dict[str, Any]) -> None:
        known = decode(entry["token"], time.time()) if entry["token"] else NOTHING
        entry["token"] = encode(known.followed_by(token))
        entry["errands"].pop(errand, None)

    _change(actor, leave)


def announce_errand(actor: str, errand: str) -> None:
    """Keep the actor on the primary until the unit of this name has left its token."""

    def announce(entry: dict[str, Any]) -> None:
        now = time.time()
        # Of an actor who is never idle the entry never expires, so what was never ended must go.
        left = {name: until for name, until in entry["errands"].items() if until > now}
        entry["errands"] = {**left, errand: now + LONGEST_ERRAND_SECONDS}

    _change(actor, announce)


def _change(actor: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the actor's entry, one unit after the other. A cache that fails costs a log line and no more."""
    key, lock = _key(actor), f"{_key(actor)}:lock"
    try:
        cache = _cache()
        is_mine = _acquire(cache, lock)
        try:
            entry = cache.get(key) or {"token": None, "errands": {}}
            edit(entry)
            cache.set(key, entry, timeout=ERRAND_SECONDS)
        finally:
            if is_mine:
                cache.delete(lock)
    except Exception:
        logger.exception("The cache did not take what an actor has written, so its next reads may be older than that.")


def _acquire(cache: Any, lock: str) -> bool:
    for _ in range(_LOCK_TRIES):
        if cache.add(lock, 1, timeout=_LOCK_SECONDS):
            return True
        time.sleep(_LOCK_PAUSE_SECONDS)
    return False


def _cache() -> Any:
    return caches[get_settings().cache]


def _key(actor: str) -> str:
    return f"readshift:token:{actor}"


def _only_primaries(now: float) -> Token:
    return pinned(get_settings().clusters, now + _A_MOMENT_SECONDS)
