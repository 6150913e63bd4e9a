"""The project as a WSGI application.

With `PROPAGATION_WARM` it reads while it is loaded, as projects do that fill a cache before their server forks: the
first process then holds a policy, and what keeps it fresh, when its workers begin.
"""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connections

application = get_wsgi_application()


def warm() -> None:
    from benchmarks.propagation.app.models import Article  # noqa: PLC0415 - the apps have to be loaded first
    from routers.blocks import unit_of_work  # noqa: PLC0415 - likewise

    with unit_of_work("page"):
        Article.objects.count()
    connections.close_all()


if os.environ.get("PROPAGATION_WARM"):
    warm()
