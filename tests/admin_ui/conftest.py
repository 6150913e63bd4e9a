"""Staff of every kind, each with a logged-in client, and the kill switch as it is after migrate."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from waffle.models import Switch

from rollout.policy import KILL_SWITCH

StaffClient = Callable[..., Client]


@pytest.fixture
def kill_switch(db: None) -> Switch:
    switch, _ = Switch.objects.update_or_create(name=KILL_SWITCH, defaults={"active": True})
    assert isinstance(switch, Switch)
    return switch


@pytest.fixture
def staff(kill_switch: Switch) -> StaffClient:
    """Return a client of a member of staff with the named permissions and no other."""

    def log_in(*codenames: str) -> Client:
        user = User.objects.create_user("_".join(["staff", *codenames]), is_staff=True)
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(codenames)
        user.user_permissions.set(permissions)
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def viewer(staff: StaffClient) -> Client:
    return staff("view_routingrule")


@pytest.fixture
def editor(staff: StaffClient) -> Client:
    """Somebody who may edit rules, and neither raise nor lower on the dashboard."""
    return staff("add_routingrule", "change_routingrule", "view_routingrule")


@pytest.fixture
def rollbacker(staff: StaffClient) -> Client:
    return staff("rollback_routing")


@pytest.fixture
def operator(staff: StaffClient) -> Client:
    return staff("operate_routing")


@pytest.fixture
def superuser(kill_switch: Switch) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("superuser"))
    return client
