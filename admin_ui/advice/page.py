"""The advice as pages and commands ask for it: read from one alias, and from the replicas."""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from admin_ui.advice.evidence import read_evidence
from admin_ui.advice.ranking import Advisory, advise
from admin_ui.advice.standbys import ask_replicas
from rollout.endpoint_sums import Span, stored_span
from rollout.loading import load_policy
from rollout.models import Mode, RoutingRule, TargetKind
from rollout.settings import get_settings


def read_advice(until: datetime, minutes: float, using: str) -> Advisory:
    """Return the advice that the last minutes give. Raises what the database raises.

    The replicas are asked how long they let reads hold up their replay; those that do not answer are left out.
    """
    settings, policy = get_settings(), load_policy(using)
    span = replace(stored_span(Span(until - timedelta(minutes=minutes), until), using), until=until)
    ids = dict(RoutingRule.objects.using(using).filter(target_kind=TargetKind.ENDPOINT).values_list("target", "pk"))
    return advise(
        read_evidence(span, policy.endpoint_rules, using),
        span,
        ask_replicas(settings.replicas, settings.probe_timeout_seconds),
        settings.greatest_lag_seconds,
        lambda endpoint: rule_address(endpoint, ids.get(endpoint)),
    )


def rule_address(endpoint: str, pk: int | None) -> str:
    """Return where the admin changes the rule of this id, or adds one that observes the endpoint."""
    try:
        if pk is not None:
            return reverse("admin:readshift_routingrule_change", args=[pk])
        filled = {"target_kind": TargetKind.ENDPOINT.value, "target": endpoint, "mode": Mode.OBSERVE.value}
        return f"{reverse('admin:readshift_routingrule_add')}?{urlencode(filled)}"
    except NoReverseMatch:
        # The project has the rules in an AdminSite of its own, or in none.
        return "in the admin, under routing rules"
