"""The response header that tells staff where the queries of a request went, and why.

It is a list as RFC 9651 has them:

    default;reason=no_rule;model=shop.Category;queries=2, replica1;reason=routed;model=shop.Product;queries=1
"""

import re
from collections import Counter
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import LazyObject, empty

from routers.recording import Recording

HEADER = "Readshift"
LONGEST = 1_000
"""Characters. Servers and proxies allow a few thousand for all headers together."""

REST = "*"
"""Stands for the databases of what did not fit."""

_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_UNPRINTABLE = re.compile(r"[^ -~]")
_FOR_OTHER_CACHES = ("surrogate-control", "cdn-cache-control", "edge-control", "x-accel-expires")
_SHARED = re.compile(r"\b(?:public|s-maxage)\b", re.IGNORECASE)


def tell_staff(request: HttpRequest, response: HttpResponseBase, recording: Recording) -> None:
    """Add the header if the request is known to be that of staff, and see to it that no cache shows it to others.

    Nobody is looked up for it: where nothing has asked for the user, there is no header. Nor is there one on a response
    that its view wants shared caches to keep, which stays as it is.
    """
    if not recording.totals or _is_meant_for_others(response) or not _is_known_staff(request):
        return
    response[HEADER] = header_value(recording)
    patch_cache_control(response, private=True)
    patch_vary_headers(response, ["Cookie", "Authorization"] if "Authorization" in request.headers else ["Cookie"])


def header_value(recording: Recording) -> str:
    """Return what the queries were counted under, those of one database, reason and model together."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for series, count in recording.counts().items():
        counts[series.alias, series.reason, series.model] += count
    left, parts, length = counts.total(), [], 0
    for (alias, reason, model), count in counts.items():
        about = f";model={_item(model)}" if model else ""
        part = f"{_item(alias)};reason={_item(reason)}{about};queries={count}"
        rest = f", {REST};queries={left}"
        if length + len(part) + len(rest) > LONGEST:
            parts.append(f"{REST};queries={left}")
            break
        parts.append(part)
        left, length = left - count, length + len(part) + 2
    return ", ".join(parts)


def _item(text: str) -> str:
    """Return a text as a token, or as a string if it has characters that a token has not."""
    if _TOKEN.fullmatch(text):
        return text
    plain = _UNPRINTABLE.sub("?", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _is_meant_for_others(response: HttpResponseBase) -> bool:
    """Say whether shared caches are told to keep the response. What other caches are told, `private` does not undo."""
    names = [name.lower() for name, _ in response.items()]
    return bool(_SHARED.search(response.get("Cache-Control", ""))) or any(
        name.endswith(_FOR_OTHER_CACHES) for name in names
    )


def _is_known_staff(request: HttpRequest) -> bool:
    user = _known_user(request)
    return bool(getattr(user, "is_authenticated", False) and getattr(user, "is_staff", False))


def _known_user(request: HttpRequest) -> Any:
    """Return the user if something has looked it up already, without doing so, or None."""
    user = vars(request).get("user")
    if isinstance(user, LazyObject) and vars(user)["_wrapped"] is empty:
        # What `request.auser()` found.
        return vars(request).get("_acached_user")
    return user
