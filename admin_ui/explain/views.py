"""The page that explains where a read goes."""

import logging
from typing import Any

from django.contrib.auth import get_permission_codename, get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from admin_ui.explain.forms import ExplainForm
from admin_ui.explain.words import HOW_SEEN, asides, summary, verdict
from admin_ui.frame import Section
from admin_ui.permissions import Powers
from routers.control import control_alias
from routers.explaining.supposing import DecidingError, SupposedRead, explain_read
from routers.subjects import RequestParty

logger = logging.getLogger("readshift")

NO_USERS = (
    "You may not look for users by name, so the user was left out. That takes the permission to view users, or to "
    "operate routing."
)


def may_find_users(user: Any) -> bool:
    """Say whether this user may learn which users there are: whoever may view them, and operators."""
    options = get_user_model()._meta
    permission = f"{options.app_label}.{get_permission_codename('view', options)}"
    return Powers.of(user).may_raise or user.has_perm(permission)


class Explaining(Section):
    """Why a read goes where it goes."""

    entry = ("Explain", "readshift_explain")

    @classmethod
    def admits(cls, powers: Powers) -> bool:
        return powers.may_see_rules

    def urls(self) -> list[URLPattern]:
        return [path("explain/", self.frame.page(self.explain), name="readshift_explain")]

    def explain(self, request: HttpRequest) -> HttpResponse:
        """Show the form, and the ladder for what it asks about."""
        self.refuse_others(request)
        party, finds_users, using = RequestParty(request), may_find_users(request.user), control_alias()
        form = ExplainForm(
            request.GET if "endpoint" in request.GET else None,
            using=using,
            may_find_users=finds_users,
            own_actor=party.actor,
            own_token=party.token,
        )
        context = {
            "title": "Explain",
            "form": form,
            "own_actor": party.actor,
            "own_address": _with_actor(request, party.actor or ""),
            "refusal": NO_USERS if request.GET.get("user") and not finds_users else "",
        }
        if form.is_valid() and form.read is not None:
            try:
                context |= _result(form.read, using)
            except DecidingError as error:
                logger.exception("Explaining a read failed.")
                context["refusal"] = str(error)
        return self.frame.section(request, "admin_ui/explain/explain.html", context)


def _with_actor(request: HttpRequest, actor: str) -> str:
    """Return the address of this page with everything that was asked, for another actor."""
    asked = request.GET.copy()
    asked["actor"] = actor
    return f"?{asked.urlencode()}"


def _result(read: SupposedRead, using: str) -> dict[str, Any]:
    explanation = explain_read(read, using)
    return {
        "read": read,
        # A template would call the class.
        "model_label": read.model._meta.label if read.model is not None else "",
        "explanation": explanation,
        "summary": summary(explanation),
        "asides": asides(explanation),
        "how_seen": HOW_SEEN,
        "rungs": [(rung, verdict(rung)) for rung in explanation.rungs],
    }
