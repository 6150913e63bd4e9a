"""Settings of the project. `SYSTEM` in the environment chooses what routes its reads; everything else is the same.

Each system is installed as its own documentation says, with its default values. `FAILOVER_READSHIFT` may hold options
for Readshift, as JSON, for example to see what slower probing costs:
`{"PROBE_SECONDS": 2}`.
"""

import json
import os

from benchmarks.systems import OWN, caches, databases, install
from demo.addresses import Addresses

SYSTEM = os.environ["SYSTEM"]
ADDRESSES = Addresses.load()
FILES = Addresses.file().parent

SECRET_KEY = "the-benchmark-guards-nothing"  # noqa: S105 - it is no secret
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.failover.app.urls"
WSGI_APPLICATION = "benchmarks.failover.app.wsgi.application"
USE_TZ = True

DATABASES = databases("benchmarks.failover.app.engine", ADDRESSES.database, ADDRESSES.primary, ADDRESSES.replicas)
CACHES = caches(ADDRESSES.cache, FILES / "cache")

# Readshift has a rule for reads that must be fresh; with the others, code names the primary.
STRICT_ALIAS = None if SYSTEM == OWN else "default"

_REPLICAS = [alias for alias in DATABASES if alias != "default"]
_SYSTEM = install(SYSTEM, _REPLICAS, json.loads(os.environ.get("FAILOVER_READSHIFT", "{}")))
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "benchmarks.failover.app", *_SYSTEM.apps]
MIDDLEWARE = [_SYSTEM.middleware]
globals().update(_SYSTEM.settings)
