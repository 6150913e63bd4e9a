"""Settings of the project. `SYSTEM` in the environment chooses what routes its reads; everything else is the same.

Each system is installed as its own documentation says, with its default values. `CONSISTENCY_READSHIFT` may hold
options for Readshift, as JSON, for example to see what slower probing costs:
`{"PROBE_SECONDS": 2}`.
"""

import json
import os
from pathlib import Path
from typing import Any

from demo.addresses import Addresses

SYSTEM = os.environ["SYSTEM"]
ADDRESSES = Addresses.load()
FILES = Addresses.file().parent

SECRET_KEY = "the-benchmark-guards-nothing"  # noqa: S105 - it is no secret
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.consistency.app.urls"
WSGI_APPLICATION = "benchmarks.consistency.app.wsgi.application"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "benchmarks.consistency.app",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


def _server(port: int) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": port,
        "NAME": ADDRESSES.database,
        "USER": "postgres",
        # Persistent, as in production; a connection that was lost meanwhile is replaced at the next request.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {
    "default": _server(ADDRESSES.primary),
    **{f"replica{number}": _server(port) for number, port in enumerate(ADDRESSES.replicas, start=1)},
}
REPLICAS = [alias for alias in DATABASES if alias != "default"]

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ADDRESSES.cache}
    if ADDRESSES.cache
    else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(FILES / "cache")}
}

CELERY_BROKER_URL = ADDRESSES.broker
CELERY_RESULT_BACKEND = ADDRESSES.cache or f"file://{FILES / 'results'}"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if ADDRESSES.broker.startswith("filesystem"):
    (FILES / "results").mkdir(exist_ok=True)
    folders = ("data_folder_in", "data_folder_out")
    CELERY_BROKER_TRANSPORT_OPTIONS = {name: str(Path(FILES, "broker")) for name in folders}

if SYSTEM == "readshift":
    INSTALLED_APPS += ["waffle", "rollout", "routers"]
    MIDDLEWARE.insert(0, "routers.middleware.ReadshiftMiddleware")
    DATABASE_ROUTERS = ["routers.router.ReplicaRouter"]
    READSHIFT: dict[str, Any] = {
        "CLUSTERS": {"default": {"REPLICAS": REPLICAS}},
        **json.loads(os.environ.get("CONSISTENCY_READSHIFT", "{}")),
    }
elif SYSTEM == "multidb_router":
    MIDDLEWARE.insert(0, "multidb.middleware.PinningRouterMiddleware")
    DATABASE_ROUTERS = ["multidb.PinningReplicaRouter"]
    REPLICA_DATABASES = REPLICAS
elif SYSTEM == "django_replicated":
    # Where the package keeps its default values.
    from django_replicated.settings import *  # noqa: F403

    MIDDLEWARE.insert(0, "django_replicated.middleware.ReplicationMiddleware")
    DATABASE_ROUTERS = ["django_replicated.router.ReplicationRouter"]
    REPLICATED_DATABASE_SLAVES = REPLICAS
else:
    raise ValueError(f"SYSTEM is {SYSTEM!r}. Use readshift, multidb_router or django_replicated.")
