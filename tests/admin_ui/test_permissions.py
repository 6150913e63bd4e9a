"""What each permission allows."""

from typing import Any

import pytest
from django.test import Client
from waffle.models import Flag, Switch

from admin_ui.permissions import OPERATE, ROLL_BACK, VIEW_DASHBOARD, VIEW_EVENTS, VIEW_RULES, Powers
from rollout.models import Mode, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.admin_ui.support import DASHBOARD, KILL, flag, mode_url, share_url
from tests.support import route


class User:
    """Somebody with one permission."""

    def __init__(self, permission: str) -> None:
        self._permission = permission

    def has_perm(self, perm: str, /) -> bool:
        return perm == self._permission


@pytest.mark.parametrize(
    ("permission", "powers"),
    [
        ("", Powers(may_see=False, may_see_rules=False, may_lower=False, may_raise=False)),
        (VIEW_DASHBOARD, Powers(may_see=True, may_see_rules=False, may_lower=False, may_raise=False)),
        (VIEW_EVENTS, Powers(may_see=True, may_see_rules=False, may_lower=False, may_raise=False, may_see_events=True)),
        (VIEW_RULES, Powers(may_see=True, may_see_rules=True, may_lower=False, may_raise=False, may_see_events=True)),
        (ROLL_BACK, Powers(may_see=True, may_see_rules=True, may_lower=True, may_raise=False, may_see_events=True)),
        (OPERATE, Powers(may_see=True, may_see_rules=True, may_lower=True, may_raise=True, may_see_events=True)),
    ],
)
def test_a_permission_includes_the_smaller_ones(permission: str, powers: Powers) -> None:
    assert Powers.of(User(permission)) == powers


def routed() -> bool:
    """Say whether the rule of these tests sends anything to replicas."""
    is_open = Flag.objects.get().everyone is not False
    return is_open and RoutingRule.objects.get().mode == Mode.ROUTE and Switch.objects.get(name=KILL_SWITCH).active


def press(client: Client, button: str, pk: int) -> Any:
    """Press one of the buttons that take reads back, once, without confirming anything."""
    address, data = {
        "kill switch": (KILL, {"state": "off"}),
        "percentage": (share_url(pk), {"percent": "0"}),
        "observe": (mode_url(pk), {"mode": "observe"}),
        "pin": (mode_url(pk), {"mode": "pin"}),
    }[button]
    return client.post(address, data)


@pytest.mark.django_db
@pytest.mark.parametrize("button", ["kill switch", "percentage", "observe", "pin"])
class TestButtonsThatTakeBack:
    def test_the_permission_to_roll_back_is_enough(self, rollbacker: Client, button: str) -> None:
        rule = route("names", gate=flag(everyone=True))
        assert routed()
        assert press(rollbacker, button, rule.pk)["Location"] == DASHBOARD
        assert not routed()

    @pytest.mark.parametrize("who", ["viewer", "editor"])
    def test_permissions_to_view_and_to_edit_rules_are_not(
        self, request: pytest.FixtureRequest, who: str, button: str
    ) -> None:
        client: Client = request.getfixturevalue(who)
        rule = route("names", gate=flag(everyone=True))
        assert press(client, button, rule.pk).status_code == 403
        assert routed()
