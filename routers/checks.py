"""System checks for the parts of a project that the read path needs."""

from typing import Any

from django.conf import settings as django_settings
from django.core import checks
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.db import router

from rollout.settings import Refresh, get_settings, refresh
from routers.router import ReplicaRouter

MIDDLEWARE = "routers.middleware.ReadshiftMiddleware"
ROUTER = "routers.router.ReplicaRouter"


def register() -> None:
    """Register the checks. Called once, when the apps are ready."""
    checks.register(check_router, "readshift")
    checks.register(check_middleware, "readshift")
    checks.register(check_cache, "readshift")
    checks.register(check_probing, "readshift")


def check_router(**_: Any) -> list[checks.CheckMessage]:
    """Report a missing router: nothing would be routed, and migrate would reach for the replicas."""
    if not get_settings().clusters or any(isinstance(entry, ReplicaRouter) for entry in router.routers):
        return []
    return [
        checks.Warning(
            "READSHIFT names clusters, but the router is not installed, so every read goes to the default database.",
            hint=f'Add "{ROUTER}" to DATABASE_ROUTERS.',
            id="readshift.W004",
        )
    ]


def check_middleware(**_: Any) -> list[checks.CheckMessage]:
    """Report a missing middleware: without it, no request is a unit."""
    if not get_settings().clusters or MIDDLEWARE in django_settings.MIDDLEWARE:
        return []
    return [
        checks.Warning(
            "READSHIFT names clusters, but the middleware is not installed, so no request reads from a replica.",
            hint=f'Put "{MIDDLEWARE}" first in MIDDLEWARE.',
            id="readshift.W005",
        )
    ]


def check_cache(**_: Any) -> list[checks.CheckMessage]:
    """Report a cache for tokens that does not exist, or that does not take them from one process to another."""
    alias = get_settings().cache
    if alias not in django_settings.CACHES:
        return [
            checks.Error(
                f'READSHIFT["CACHE"] names the alias {alias!r}, which is not in CACHES.',
                hint=f"The aliases in CACHES are {', '.join(sorted(django_settings.CACHES))}. "
                f"Add {alias!r} there or correct the name.",
                id="readshift.E011",
            )
        ]
    # Where nothing is routed, nothing can be missed. Tests of routing are one process.
    if not get_settings().replicas or refresh() is not Refresh.BACKGROUND:
        return []
    lacks = _what_it_lacks(caches[alias])
    if lacks is None:
        return []
    backend = django_settings.CACHES[alias]["BACKEND"]
    return [
        checks.Warning(
            f"The cache {alias!r}, which keeps tokens, has the backend {backend!r}, which {lacks}. So what clients "
            f"without cookies write, and what tasks write for an actor, is not followed from one process to another, "
            f"and may be missing from the next read.",
            hint=f'Give CACHES["{alias}"] a backend that all processes share, such as '
            f'"django.core.cache.backends.redis.RedisCache", or name another alias in READSHIFT["CACHE"]. A single '
            f'process without tasks, as in development, needs none: SILENCED_SYSTEM_CHECKS = ["readshift.W006"].',
            id="readshift.W006",
        )
    ]


def check_probing(**_: Any) -> list[checks.CheckMessage]:
    """Report a cache through which processes cannot share their probes, though they are meant to."""
    alias = get_settings().cache
    is_wanted = get_settings().probing == "shared" and get_settings().replicas and refresh() is Refresh.BACKGROUND
    if alias not in django_settings.CACHES or not is_wanted:
        return []
    lacks = _what_it_lacks(caches[alias]) or _what_it_shows_late(caches[alias])
    if lacks is None:
        return []
    backend = django_settings.CACHES[alias]["BACKEND"]
    return [
        checks.Warning(
            f'READSHIFT["PROBING"] is "shared", but the cache {alias!r} has the backend {backend!r}, which {lacks}. So '
            f"processes do not learn from each other how the servers stand, or too late.",
            hint=f'Give CACHES["{alias}"] one server that all processes share, such as a '
            f'"django.core.cache.backends.redis.RedisCache" with one LOCATION, or name another alias in '
            f'READSHIFT["CACHE"], or set READSHIFT["PROBING"] = "process".',
            id="readshift.W007",
        )
    ]


def _what_it_lacks(cache: object) -> str | None:
    if isinstance(cache, DummyCache):
        return "stores nothing"
    return "keeps what it stores within one process" if isinstance(cache, LocMemCache) else None


def _what_it_shows_late(cache: object) -> str | None:
    """Return what is wrong with a cache that is read elsewhere than it is written. Django's Redis does with several."""
    # Its own list: LOCATION has several ways of being written.
    has_copies = isinstance(cache, RedisCache) and len(cache._servers) > 1  # type: ignore[attr-defined] # noqa: SLF001
    return "reads from copies that lag behind what was written" if has_copies else None
