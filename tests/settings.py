"""Settings of the test suite: the demo's, on ports where the suite starts its own servers."""

import os
import socket

import django

from demo.addresses import Addresses
from demo.settings import *  # noqa: F403
from demo.settings import DATABASES, READSHIFT

PORTS_VARIABLE = "READSHIFT_TEST_PORTS"


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


# Chosen here, because Django connects where its settings say; the `cluster` fixture starts the servers there. Processes
# that a test starts inherit the choice.
PORTS = [int(port) for port in os.environ.get(PORTS_VARIABLE, "").split(",") if port] or _free_ports(3)
os.environ[PORTS_VARIABLE] = ",".join(map(str, PORTS))

for options, port in zip(DATABASES.values(), PORTS, strict=True):
    options |= {"PORT": port, "NAME": "postgres", "CONN_MAX_AGE": 0}
    options.setdefault("TEST", {})["NAME"] = "test_readshift"
ADDRESSES = Addresses(database="test_readshift", primary=PORTS[0], replicas=tuple(PORTS[1:]))

ROOT_URLCONF = "tests.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if django.VERSION >= (6, 1):
    # Without it, sending mail warns that EMAIL_BACKEND and its like will go.
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
# A demo that runs beside the suite keeps its cache to itself.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True

# Tests change rules and look at the effect in the next line, so the policy is read when it is asked for.
READSHIFT |= {"POLICY_REFRESH": "inline"}
