"""The rules that the demo starts with: the catalogue behind one flag, still closed, and the heavy report observed."""

from waffle import get_waffle_flag_model

from rollout.models import GateKind, Mode, RoutingRule, TargetKind
from rollout.operations import create_flag

CATALOGUE_FLAG = "catalogue-on-replicas"
CATALOGUE = ("shop:product-list", "shop:product-detail", "shop:search", "shop:api-products")
REPORT_FLAG = "report-on-replicas"


def create_rules() -> int:
    """Create what is missing and return how many rules were created."""
    wanted = {
        **dict.fromkeys(CATALOGUE, (CATALOGUE_FLAG, Mode.ROUTE)),
        "shop:report": (REPORT_FLAG, Mode.OBSERVE),
        "shop.refresh_bestsellers": (REPORT_FLAG, Mode.OBSERVE),
    }
    for flag in (CATALOGUE_FLAG, REPORT_FLAG):
        if not get_waffle_flag_model()._default_manager.filter(name=flag).exists():
            create_flag(flag)
    created = 0
    for target, (flag, mode) in wanted.items():
        _, is_new = RoutingRule.objects.get_or_create(
            target_kind=TargetKind.ENDPOINT,
            target=target,
            defaults={"mode": mode, "gate_kind": GateKind.FLAG, "gate_name": flag, "note": "Came with the demo."},
        )
        created += is_new
    return created
