"""The page. It tells which process has served it, and the database alias that each of its reads was sent to."""

import os

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from benchmarks.propagation.app.models import Article

SHOWN = 3


@require_GET
def page(_: HttpRequest) -> JsonResponse:
    """Read some articles, one after the other."""
    articles = [Article.objects.get(pk=number) for number in range(1, SHOWN + 1)]
    return JsonResponse({"pid": os.getpid(), "servers": [article._state.db for article in articles]})
