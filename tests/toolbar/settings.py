"""Settings of that project: the suite's databases and rules, the toolbar, and Readshift's panel in it."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

for options in DATABASES.values():
    options["NAME"] = options["TEST"]["NAME"]

DEBUG = True
INTERNAL_IPS = ["127.0.0.1"]
INSTALLED_APPS = [*INSTALLED_APPS, "debug_toolbar"]
MIDDLEWARE = [*MIDDLEWARE, "debug_toolbar.middleware.DebugToolbarMiddleware"]
ROOT_URLCONF = "tests.toolbar.urls"
DEBUG_TOOLBAR_PANELS = ["debug_toolbar.panels.timer.TimerPanel", "admin_ui.toolbar.ReadshiftPanel"]
