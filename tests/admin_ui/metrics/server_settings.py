"""Settings of a web server with several processes that is asked for metrics."""

from tests.admin_ui.metrics.support import TOKEN
from tests.worker_settings import *  # noqa: F403
from tests.worker_settings import READSHIFT

ROOT_URLCONF = "tests.admin_ui.metrics.urls"
READSHIFT |= {"METRICS_TOKENS": [TOKEN], "FLUSH_SECONDS": 0.2}
