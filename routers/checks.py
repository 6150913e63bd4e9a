"""System checks for the parts of a project that the read path needs."""

from typing import Any

from django.conf import settings as django_settings
from django.core import checks
from django.db import router

from rollout.settings import get_settings
from routers.router import ReplicaRouter

MIDDLEWARE = "routers.middleware.ReadshiftMiddleware"
ROUTER = "routers.router.ReplicaRouter"


def register() -> None:
    """Register the checks. Called once, when the apps are ready."""
    checks.register(check_router, "readshift")
    checks.register(check_middleware, "readshift")


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
