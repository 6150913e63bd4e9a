"""Who may post."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

P = ParamSpec("P")


class CustomerRequest(HttpRequest):
    """A request of somebody who has signed in."""

    user: User


def customers_post(
    view: Callable[Concatenate[CustomerRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let signed-in customers post. Unlike with `login_required`, others return to the page that holds the form."""

    @require_POST
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.headers.get("Referer", reverse("shop:product-list")))
        return view(cast("CustomerRequest", request), *args, **kwargs)

    return guarded
