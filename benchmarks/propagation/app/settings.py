"""Settings of the project: Readshift with its default values, on one primary and one replica.

`PROPAGATION_PRIMARY` may name another port for the primary, such as a pooler's.
"""

import os

from benchmarks.systems import OWN, databases, install
from demo.addresses import Addresses

ADDRESSES = Addresses.load()

SECRET_KEY = "the-benchmark-guards-nothing"  # noqa: S105 - it is no secret
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.propagation.app.urls"
WSGI_APPLICATION = "benchmarks.propagation.app.wsgi.application"
USE_TZ = True

_PRIMARY = int(os.environ.get("PROPAGATION_PRIMARY", ADDRESSES.primary))
DATABASES = databases("benchmarks.propagation.app.engine", ADDRESSES.database, _PRIMARY, ADDRESSES.replicas)

_SYSTEM = install(OWN, [alias for alias in DATABASES if alias != "default"], {})
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "benchmarks.propagation.app", *_SYSTEM.apps]
MIDDLEWARE = [_SYSTEM.middleware]
globals().update(_SYSTEM.settings)
