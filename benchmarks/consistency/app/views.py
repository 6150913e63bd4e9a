"""The pages. Browsers are redirected after a form, as Django's own views do it; clients with credentials get 200.

Each looks at `request.user`, so that the session and the user of those who are signed in are read as well.
"""

from http import HTTPStatus

from celery.result import AsyncResult
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from benchmarks.consistency.app import registers, tasks

TASKS = {"write": tasks.write, "read": tasks.read}


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Begin a session. Nobody checks a password here: what is measured is what happens afterwards."""
    login(request, User.objects.get(username=request.POST["username"]))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_GET
def read(request: HttpRequest, key: str) -> JsonResponse:
    return _answer(request, {"values": [registers.read(key)]})


@require_GET
def read_all(request: HttpRequest) -> JsonResponse:
    return _answer(request, {"values": registers.read_all()})


@require_GET
def read_document(request: HttpRequest, key: str) -> JsonResponse:
    return _answer(request, {"values": registers.read_document(key)})


@require_POST
def write(request: HttpRequest, key: str) -> JsonResponse:
    return _after_form(request, {"version": registers.increment(key)}, reverse("read", args=[key]))


@require_POST
def write_after_read(request: HttpRequest, key: str) -> JsonResponse:
    version = registers.revise(key, request.POST["about"], int(request.POST["basis"]))
    return _after_form(request, {"version": version}, reverse("document", args=[key]))


@require_POST
def enqueue(request: HttpRequest, kind: str, key: str) -> JsonResponse:
    result = TASKS[kind].delay(key)
    return _after_form(request, {"task": result.id}, reverse("task", args=[result.id]))


@require_GET
def task(request: HttpRequest, identifier: str) -> JsonResponse:
    """Tell what became of a task: nothing yet, its result, or that it failed."""
    result: AsyncResult[object] = AsyncResult(identifier)
    if not result.ready():
        return _answer(request, {"state": "running"})
    return _answer(request, {"state": "done", "result": result.result} if result.successful() else {"state": "failed"})


def _after_form(request: HttpRequest, content: dict[str, object], target: str) -> JsonResponse:
    answer = _answer(request, content)
    if "Authorization" not in request.headers:
        answer.status_code = HTTPStatus.SEE_OTHER
        answer["Location"] = target
    return answer


def _answer(request: HttpRequest, content: dict[str, object]) -> JsonResponse:
    return JsonResponse(content | {"signed_in": request.user.is_authenticated})
