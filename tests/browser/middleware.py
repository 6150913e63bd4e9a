"""What the web server of these tests does to every request beside what a host's does."""

from collections.abc import Callable

from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse

POLICY_HEADER = "Content-Security-Policy"
POLICY = "default-src 'self'"

View = Callable[[HttpRequest], HttpResponse]


class StrictPolicy:
    """Sends the strictest policy with every answer, where Django is too old to do it itself."""

    def __init__(self, get_response: View) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault(POLICY_HEADER, POLICY)
        return response


class FreshContentTypes:
    """Forgets the keys of content types, which are others once a test has emptied the database."""

    def __init__(self, get_response: View) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ContentType.objects.clear_cache()
        return self._get_response(request)
