"""Settings of the project: the demo's, with the servers that the benchmark started."""

from benchmarks.systems import databases
from demo.settings import *  # noqa: F403
from demo.settings import ADDRESSES, READSHIFT

ROOT_URLCONF = "benchmarks.pages.urls"
DATABASES = databases("django.db.backends.postgresql", ADDRESSES.database, ADDRESSES.primary, ADDRESSES.replicas)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SILENCED_SYSTEM_CHECKS = ["readshift.W006"]
READSHIFT |= {
    "CLUSTERS": {"default": {"REPLICAS": [alias for alias in DATABASES if alias != "default"]}},
    "POLICY_REFRESH": "background",
}
