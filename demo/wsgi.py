"""The demo as a WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from demo.clock import stop_if_told

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
stop_if_told()
application = get_wsgi_application()
