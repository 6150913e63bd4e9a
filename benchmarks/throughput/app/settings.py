"""Settings of the project: the demo's, with the servers that the benchmark started.

`SYSTEM` in the environment chooses what routes reads, or `none`; everything else is the same. Each system is installed
as its own documentation says, with its default values.
"""

import os

from benchmarks.systems import caches, databases, install
from benchmarks.throughput.configurations import NOBODY
from demo.settings import *  # noqa: F403
from demo.settings import ADDRESSES, INSTALLED_APPS, MIDDLEWARE

SYSTEM = os.environ["SYSTEM"]
FILES = ADDRESSES.file().parent

ROOT_URLCONF = "benchmarks.throughput.app.urls"
DATABASES = databases("django.db.backends.postgresql", ADDRESSES.database, ADDRESSES.primary, ADDRESSES.replicas)
CACHES = caches(ADDRESSES.cache, FILES / "cache")

_NOT_THE_SHOP = {"django_htmx", "waffle", "rollout", "routers", "tasks", "admin_ui"}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in _NOT_THE_SHOP] + ["benchmarks.throughput.app"]
MIDDLEWARE = [name for name in MIDDLEWARE if name.partition(".")[0] not in {"routers", "django_htmx"}]
DATABASE_ROUTERS = []
del READSHIFT  # noqa: F821 - the demo's
if SYSTEM != NOBODY:
    _SYSTEM = install(SYSTEM, [alias for alias in DATABASES if alias != "default"], {})
    INSTALLED_APPS += _SYSTEM.apps
    MIDDLEWARE.insert(0, _SYSTEM.middleware)
    globals().update(_SYSTEM.settings)
