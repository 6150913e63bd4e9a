"""The page of the replicas: how they stand, what their servers say, whether a failover would go well, and drains."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from admin_ui.frame import Section
from admin_ui.operating.drains import drain_step, undrain_step
from admin_ui.readiness.assessment import assess
from admin_ui.readiness.evidence import all_aliases, read_evidence
from admin_ui.readiness.sheets import ClusterSheet, cluster_sheet
from admin_ui.replicas.sight import see_replicas
from rollout.models import RoutingRule
from rollout.settings import get_settings
from routers.control import control_alias
from routers.inspection import inspector

PAGE = "readshift_replicas"

ASKED = "1"


class Replicas(Section):
    """What an operator looks at before, during and after a failover."""

    entry = ("Replicas", PAGE)

    def urls(self) -> list[URLPattern]:
        frame = self.frame
        return [
            path("replicas/", frame.page(self.replicas), name=PAGE),
            path("replicas/facts/", frame.fragment(self.facts), name="readshift_replica_facts"),
            path("replicas/drain/", frame.action(self.drain), name="readshift_drain"),
            path("replicas/undrain/", frame.action(self.undrain), name="readshift_undrain"),
        ]

    def replicas(self, request: HttpRequest) -> HttpResponse:
        """Show what this process knows. The servers are asked after that, so that one which hangs holds up no page."""
        using = control_alias()
        has_rules = RoutingRule.objects.using(using).exists()
        context = {
            "title": "Replicas",
            "board": see_replicas(timezone.now(), using, has_rules=has_rules),
            **(_facts() if request.GET.get("inspect") == ASKED else {}),
        }
        return self.frame.section(request, "admin_ui/replicas/page.html", context)

    def facts(self, request: HttpRequest) -> HttpResponse:
        """Return what the servers say, and the checklists."""
        return self.frame.render(request, "admin_ui/replicas/_facts.html", _facts())

    def drain(self, request: HttpRequest) -> HttpResponse:
        """Take a replica out of service."""
        alias, reason = request.POST.get("alias", ""), request.POST.get("reason", "").replace("\0", "").strip()
        by = request.user.get_username()
        return self.frame.act(
            request,
            lambda: drain_step(alias, by, reason, timezone.now(), control_alias()),
            {"alias": alias},
        )

    def undrain(self, request: HttpRequest) -> HttpResponse:
        """Let a drained replica serve again."""
        alias = request.POST.get("alias", "")
        return self.frame.act(
            request,
            lambda: undrain_step(alias, timezone.now(), control_alias()),
            {"alias": alias},
        )


def _facts() -> dict[str, object]:
    now = timezone.now()
    inspection = inspector.inspect(all_aliases())
    evidence = read_evidence(inspection, now, control_alias())
    sheets: tuple[ClusterSheet, ...] = tuple(
        cluster_sheet(cluster, dict(inspection.servers), assess(cluster, evidence))
        for cluster in get_settings().clusters.values()
    )
    return {"sheets": sheets, "asked_at": now}
