"""Files that are sent while they are read, so that their length costs no memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read these as well


def download(request: HttpRequest, parts: Iterator[str], name: str, content_type: str) -> StreamingHttpResponse:
    """Return a response that saves these parts under a name."""
    # A server of the other kind would read an iterator that is not its own to the end before it sends anything.
    body = _awaited(parts) if isinstance(request, ASGIRequest) else parts
    return StreamingHttpResponse(
        body, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def safe_cell(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula: an apostrophe goes before text that could begin one.

    After OWASP's page on CSV injection, which also names the wide forms of the four characters.
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULAS) else value


async def _awaited(parts: Iterator[str]) -> AsyncIterator[str]:
    following: Callable[[], str | None] = partial(next, parts, None)
    while (part := await sync_to_async(following)()) is not None:
        yield part
