"""Settings of the web server that browsers visit: the demo's site on the suite's databases, soon told and counted."""

from tests.worker_settings import *  # noqa: F403
from tests.worker_settings import MIDDLEWARE, READSHIFT

ROOT_URLCONF = "demo.urls"
MIDDLEWARE = ["tests.browser.middleware.StrictPolicy", "tests.browser.middleware.FreshContentTypes", *MIDDLEWARE]
# One process serves all that the tests ask for.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
READSHIFT |= {
    "POLICY_POLL_SECONDS": 0.1,
    # The suite empties tables without telling anybody.
    "POLICY_RELOAD_SECONDS": 0.5,
    "PROBE_SECONDS": 0.1,
    "PROBE_TIMEOUT_SECONDS": 5.0,
    "FLUSH_SECONDS": 0.2,
    "GREATEST_LAG_SECONDS": 60.0,
    "RETURN_LAG_SECONDS": 60.0,
    "SHORTEST_EJECTION_SECONDS": 0.1,
}
# What fails is told in the server's log, not by mail.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"log": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["log"], "level": "ERROR"}},
}
