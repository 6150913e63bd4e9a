"""Settings of the project. `SYSTEM` in the environment chooses what routes its reads; everything else is the same.

`OVERHEAD_DATABASE` names the database, which is one of those with a different number of rules.
"""

import os

from benchmarks.overhead.installing import further_middleware, installation
from benchmarks.systems import databases
from demo.addresses import Addresses

ADDRESSES = Addresses.load()

SECRET_KEY = "the-benchmark-guards-nothing"  # noqa: S105 - it is no secret
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.overhead.app.urls"
USE_TZ = True

DATABASES = databases(
    "django.db.backends.postgresql",
    os.environ.get("OVERHEAD_DATABASE", ADDRESSES.database),
    ADDRESSES.primary,
    ADDRESSES.replicas,
)
for _options in DATABASES.values():
    # Django's default value. The question whether a connection still works would be in the first read of each request.
    _options["CONN_HEALTH_CHECKS"] = False
# The fastest that Django has, so that a router that asks it at each read is at its best.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

_SYSTEM = installation(os.environ["SYSTEM"], [alias for alias in DATABASES if alias != "default"])
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "benchmarks.overhead.app",
    *_SYSTEM.apps,
]
# No more than the system needs, so that what it adds to a request stands out.
MIDDLEWARE = [*filter(None, [_SYSTEM.middleware]), *further_middleware(_SYSTEM)]
globals().update(_SYSTEM.settings)
