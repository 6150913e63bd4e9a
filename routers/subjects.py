"""Who a unit serves: the actor that percentages are bucketed by, and the user when a gate asks for one."""

import random
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from django.conf import settings as django_settings
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from rollout.bucketing import BUCKETS
from rollout.gates import Subject
from rollout.settings import get_settings
from routers import carriers
from routers.tokens import NOTHING, Token

ACTOR_KEY_LENGTH = 32


class Party(Subject, Protocol):
    """A subject, with what its reads must show."""

    @property
    def token(self) -> Token: ...

    @property
    def brings_token(self) -> bool:
        """Whether a token came along, as far as that is known without a question to the cache."""


def actor_key(kind: str, value: str) -> str:
    """Return the key for an actor: hexadecimal, and of no use to whoever reads it in a message or a log.

    It is keyed with SECRET_KEY, since credentials can be guessed from a plain hash.
    """
    return salted_hmac("readshift.actor", f"{kind}:{value}", algorithm="sha256").hexdigest()[:ACTOR_KEY_LENGTH]


def roll_dice() -> int:
    """Draw the bucket that samples are compared with, from 0 to `BUCKETS` - 1."""
    return random.randrange(BUCKETS)  # noqa: S311 - a share of traffic, not a secret


class RequestParty:
    """The subject of a request. Nothing is looked up before it is asked for, and nothing twice.

    Views may replace `request.user` (REST frameworks authenticate late), so the user is taken at the first read that
    needs one.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def actor(self) -> str | None:
        """The host's own function if there is one, else the session, else the credentials, else the client's traits.

        Address and browser are coarse, but they cost no query, set no cookie, and stay the same from one request to the
        next, which is all that a percentage needs.
        """
        if path := get_settings().actor:
            own = import_string(path)(self._request)
            return None if own is None else actor_key("own", str(own))
        if key := self._session_key:
            return actor_key("session", key)
        if credentials := self._request.headers.get("Authorization"):
            return actor_key("credentials", credentials)
        traits = ("REMOTE_ADDR", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE")
        return actor_key("client", "\0".join(self._request.META.get(trait, "") for trait in traits))

    @cached_property
    def dice(self) -> int:
        return roll_dice()

    @property
    def language(self) -> str | None:
        return getattr(self._request, "LANGUAGE_CODE", None)

    @property
    def user(self) -> Any:
        return getattr(self._request, "user", None)

    @cached_property
    def group_ids(self) -> frozenset[Any]:
        groups = getattr(self.user, "groups", None)
        return frozenset() if groups is None else frozenset(groups.values_list("pk", flat=True))

    @property
    def shares_cache(self) -> bool:
        """Whether this actor's token may be in the cache, because the client keeps no cookies or tasks write for it.

        Clients with credentials often keep none, even when something on the way to us adds cookies of its own.
        """
        cookies = self._request.COOKIES
        return not cookies or "Authorization" in self._request.headers or carriers.ERRAND_COOKIE in cookies

    @cached_property
    def token(self) -> Token:
        """What this actor's reads must show. Costs a cache call for an actor whose token may be there."""
        token = carriers.from_cookie(self._request).merge(carriers.from_header(self._request))
        return token.merge(carriers.from_cache(self.actor)) if self.shares_cache and self.actor else token

    @property
    def brings_token(self) -> bool:
        # Its signature is checked by whoever decides a read by it; most requests that bring one read nothing by it.
        known = self.__dict__.get("token", NOTHING)
        return bool(known) or carriers.has_token(self._request)

    @property
    def _session_key(self) -> str | None:
        session = getattr(self._request, "session", None)
        if isinstance(session, SignedCookieStore):
            # The cookie holds the data and changes with it. The data is already here, so the user costs no query.
            user = session.get("_auth_user_id")
            return None if user is None else str(user)
        return self._request.COOKIES.get(django_settings.SESSION_COOKIE_NAME)


@dataclass(frozen=True, slots=True)
class PlainParty:
    """The subject of a task, a command or a block: what it was given, and no user."""

    actor: str | None = None
    dice: int = field(default_factory=roll_dice)
    token: Token = NOTHING
    language: str | None = None
    user: Any = None
    group_ids: frozenset[Any] = frozenset()

    @property
    def brings_token(self) -> bool:
        return bool(self.token)
