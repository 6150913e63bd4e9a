"""The pages. Each tells the database aliases that its rows came from."""

from django.conf import settings
from django.db import models
from django.db.models import F
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from benchmarks.failover.app.models import Article, Comment

NEWEST = 5


@require_GET
def page(_: HttpRequest, key: str) -> JsonResponse:
    """Read an article, what was said about it, and what else there is."""
    rows: list[models.Model] = [Article.objects.get(key=key)]
    rows += Comment.objects.filter(article=key).order_by("id")
    rows += Article.objects.order_by("-version", "key")[:NEWEST]
    return _answer(rows)


@require_GET
def strict(_: HttpRequest, key: str) -> JsonResponse:
    """Read an article that must not be older than the primary's."""
    alias: str | None = settings.STRICT_ALIAS  # type: ignore[misc] # mypy knows another project's settings
    return _answer([Article.objects.using(alias).get(key=key)])


@require_POST
def write(_: HttpRequest, key: str) -> JsonResponse:
    """Change an article."""
    Article.objects.filter(key=key).update(version=F("version") + 1)
    return JsonResponse({"servers": []})


def _answer(rows: list[models.Model]) -> JsonResponse:
    return JsonResponse({"servers": sorted({str(row._state.db) for row in rows})})
