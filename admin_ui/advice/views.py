"""The page of advice, and that of each baseline."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from admin_ui.advice.lines import advice_lines, change_lines
from admin_ui.advice.page import read_advice
from admin_ui.baselines.comparing import MARGIN
from admin_ui.baselines.keeping import compare_with
from admin_ui.baselines.report import as_markdown, notes, summary
from admin_ui.frame import Section
from admin_ui.permissions import Powers
from rollout.endpoint_sums import Span
from rollout.models import Baseline
from routers.control import control_alias

CHOICES = {60: "1 hour", 1_440: "1 day", 10_080: "1 week"}
"""How far back the page looks, in minutes."""

_MOST = 50


class AdvicePages(Section):
    """What to move first, and how endpoints do compared with before."""

    entry = ("Advice", "readshift_advice")

    @classmethod
    def admits(cls, powers: Powers) -> bool:
        # It tells which rules there are, their gates, and what shadow reads found.
        return powers.may_see_rules

    def urls(self) -> list[URLPattern]:
        frame = self.frame
        return [
            path("advice/", frame.page(self.advice), name="readshift_advice"),
            path("advice/baselines/<int:pk>/", frame.page(self.baseline), name="readshift_baseline"),
        ]

    def advice(self, request: HttpRequest) -> HttpResponse:
        """Rank all endpoints, and list the baselines."""
        self.refuse_others(request)
        asked, using = request.GET.get("minutes", ""), control_alias()
        minutes = next((choice for choice in CHOICES if str(choice) == asked), min(CHOICES))
        advisory = read_advice(timezone.now(), minutes, using)
        context = {
            "title": "Advice",
            "advisory": advisory,
            "lines": advice_lines(advisory, _MOST),
            "left": max(0, len(advisory.endpoints) - _MOST),
            "minutes": minutes,
            "choices": CHOICES.items(),
            "baselines": Baseline.objects.using(using).defer("endpoints"),
        }
        return self.frame.section(request, "admin_ui/advice/advice.html", context)

    def baseline(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Compare a baseline with as long a window that ends now."""
        self.refuse_others(request)
        using, now = control_alias(), timezone.now()
        baseline = Baseline.objects.using(using).filter(pk=pk).first()
        if baseline is None:
            raise Http404(f"There is no baseline {pk}. Somebody may have deleted it.")
        context = {"title": f"Baseline {baseline.name}", "baseline": baseline}
        until = now - timedelta(seconds=now.timestamp() % 60)
        later = Span(until - (baseline.ends_at - baseline.starts_at), until)
        try:
            comparison = compare_with(baseline, later, MARGIN, using)
        except ValidationError as error:
            return self.frame.section(
                request, "admin_ui/advice/baseline.html", {**context, "refusal": " ".join(error.messages)}
            )
        found = {
            "comparison": comparison,
            "summary": summary(comparison),
            "notes": list(notes(comparison)),
            "lines": change_lines(comparison),
            "markdown": as_markdown(comparison),
        }
        return self.frame.section(request, "admin_ui/advice/baseline.html", {**context, **found})
