"""Settings of the processes that tests start: the suite's databases, with the policy kept fresh in the background."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, READSHIFT

for options in DATABASES.values():
    options["NAME"] = options["TEST"]["NAME"]

READSHIFT |= {"POLICY_REFRESH": "background"}
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = os.environ.get("READSHIFT_TEST_BROKER", "memory://")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ.get("READSHIFT_TEST_CACHE", ""),
    }
}
