"""Settings of the project. `SYSTEM` in the environment chooses what routes its reads; everything else is the same.

Each system is installed as its own documentation says, with its default values. `CONSISTENCY_READSHIFT` may hold
options for Readshift, as JSON, for example to see what slower probing costs:
`{"PROBE_SECONDS": 2}`.
"""

import json
import os
from pathlib import Path

from benchmarks.systems import caches, databases, install
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

DATABASES = databases("django.db.backends.postgresql", ADDRESSES.database, ADDRESSES.primary, ADDRESSES.replicas)
REPLICAS = [alias for alias in DATABASES if alias != "default"]

CACHES = caches(ADDRESSES.cache, FILES / "cache")

CELERY_BROKER_URL = ADDRESSES.broker
CELERY_RESULT_BACKEND = ADDRESSES.cache or f"file://{FILES / 'results'}"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if ADDRESSES.broker.startswith("filesystem"):
    (FILES / "results").mkdir(exist_ok=True)
    folders = ("data_folder_in", "data_folder_out")
    CELERY_BROKER_TRANSPORT_OPTIONS = {name: str(Path(FILES, "broker")) for name in folders}

_SYSTEM = install(SYSTEM, REPLICAS, json.loads(os.environ.get("CONSISTENCY_READSHIFT", "{}")))
INSTALLED_APPS += _SYSTEM.apps
MIDDLEWARE.insert(0, _SYSTEM.middleware)
globals().update(_SYSTEM.settings)
