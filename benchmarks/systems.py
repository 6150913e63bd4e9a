"""The systems that are compared, each installed as its own documentation says, with its default values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

OWN = "readshift"
SYSTEMS = (OWN, "multidb_router", "django_replicated")


@dataclass(frozen=True, slots=True)
class Installation:
    """What a project adds to its settings. middleware: what comes before the project's own."""

    settings: Mapping[str, Any]
    middleware: str
    apps: tuple[str, ...] = field(default=())


def install(system: str, replicas: Sequence[str], options: Mapping[str, Any]) -> Installation:
    """Return how this system is installed in a project with these replicas. options: further ones for Readshift."""
    match system:
        case "readshift":
            return Installation(
                {
                    "DATABASE_ROUTERS": ["routers.router.ReplicaRouter"],
                    "READSHIFT": {"CLUSTERS": {"default": {"REPLICAS": list(replicas)}}, **options},
                },
                "routers.middleware.ReadshiftMiddleware",
                ("waffle", "rollout", "routers"),
            )
        case "multidb_router":
            return Installation(
                {"DATABASE_ROUTERS": ["multidb.PinningReplicaRouter"], "REPLICA_DATABASES": list(replicas)},
                "multidb.middleware.PinningRouterMiddleware",
            )
        case "django_replicated":
            # Where the package keeps its default values.
            defaults = vars(import_module("django_replicated.settings"))
            return Installation(
                {
                    **{name: value for name, value in defaults.items() if name.isupper()},
                    "DATABASE_ROUTERS": ["django_replicated.router.ReplicationRouter"],
                    "REPLICATED_DATABASE_SLAVES": list(replicas),
                },
                "django_replicated.middleware.ReplicationMiddleware",
            )
    raise ValueError(f"SYSTEM is {system!r}. Use one of {', '.join(SYSTEMS)}.")


def caches(url: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Return CACHES for a cache that all processes share: the one at this URL, or files where there is none."""
    if url:
        return {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
    return {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(folder)}}


def databases(engine: str, name: str, primary: int, replicas: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Return DATABASES for servers on these ports: the primary as `default`, the replicas as `replica1` and so on."""
    ports = {"default": primary} | {f"replica{number}": port for number, port in enumerate(replicas, start=1)}
    return {
        alias: {
            "ENGINE": engine,
            "HOST": "127.0.0.1",
            "PORT": port,
            "NAME": name,
            "USER": "postgres",
            # Persistent, as in production; a connection that was lost meanwhile is replaced at the next request.
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
        for alias, port in ports.items()
    }
