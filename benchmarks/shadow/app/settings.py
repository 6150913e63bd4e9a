"""Settings of the project.

`SHADOW_SUBSCRIBER` is the port of the logical subscriber, if there is one. `SHADOW_PAGE` says which rule the page of
this process is under. `SHADOW_READSHIFT` may hold further options for Readshift, as JSON.
"""

import json
import os
from typing import Any

from benchmarks.systems import caches, databases
from demo.addresses import Addresses
from tasks.schedule import BEAT_SCHEDULE

ADDRESSES = Addresses.load()
FILES = Addresses.file().parent
SHADOW_PAGE = os.environ.get("SHADOW_PAGE", "plain")

SECRET_KEY = "the-benchmark-guards-nothing"  # noqa: S105 - it is no secret
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.shadow.app.urls"
WSGI_APPLICATION = "benchmarks.shadow.app.wsgi.application"
USE_TZ = True
# With hours that occur twice a year, and days that begin at another time than the servers'.
TIME_ZONE = "Europe/Berlin"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "benchmarks.shadow.app",
    "waffle",
    "rollout",
    "routers",
    "tasks",
]
MIDDLEWARE = ["routers.middleware.ReadshiftMiddleware"]

DATABASES = databases("django.db.backends.postgresql", ADDRESSES.database, ADDRESSES.primary, ADDRESSES.replicas)
_REPLICAS: dict[str, dict[str, Any]] = {alias: {} for alias in DATABASES if alias != "default"}
if _port := os.environ.get("SHADOW_SUBSCRIBER"):
    DATABASES["subscriber"] = {**DATABASES["default"], "PORT": int(_port)}
    _REPLICAS["subscriber"] = {"POOL": "logical"}

# Not in the broker's server, so that the broker alone can be taken away.
CACHES = caches("", FILES / "cache")

CELERY_BROKER_URL = ADDRESSES.broker
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

DATABASE_ROUTERS = ["routers.router.ReplicaRouter"]
READSHIFT = {
    "CLUSTERS": {"default": {"REPLICAS": _REPLICAS}},
    "POLICY_REFRESH": "background",
    **json.loads(os.environ.get("SHADOW_READSHIFT", "{}")),
}
