"""The admin, and as many endpoints as there are rules for."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.pages.content import ENDPOINTS


def page(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Nobody asks for it: only its name is needed."""
    return HttpResponse()


urlpatterns = [
    path("admin/", admin.site.urls),
    *(path(f"{name}/", page, name=name) for name in ENDPOINTS),
]
