"""A compiled flag says what waffle says, wherever waffle's meaning is kept, on real flags, users and requests."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from waffle.models import Flag

from rollout.loading import load_policy
from routers.subjects import RequestParty
from tests.rollout.support import create_flag
from tests.support import route

pytestmark = pytest.mark.django_db

CONDITIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "everyone": {"everyone": True},
    "everyone over superusers": {"everyone": True, "superusers": False},
    "no one": {"everyone": False, "superusers": True, "staff": True, "authenticated": True, "languages": "de"},
    "percent 0": {"percent": 0},
    "superusers": {"superusers": True},
    "staff": {"staff": True},
    "authenticated": {"authenticated": True},
    "users": {"users": ["chosen"]},
    "groups": {"groups": ["testers"]},
    "users and groups": {"users": ["plain"], "groups": ["testers"]},
    "German": {"languages": "de"},
    "languages with spaces": {"languages": " fr , de,"},
    "French": {"languages": "fr"},
    "French or staff": {"languages": "fr", "staff": True},
}
USERS: dict[str, dict[str, bool]] = {
    "plain": {},
    "staff": {"is_staff": True},
    "superuser": {"is_superuser": True},
    "chosen": {},
    "member": {},
}


@pytest.fixture
def users() -> dict[str, Any]:
    found: dict[str, Any] = {name: User.objects.create(username=name, **traits) for name, traits in USERS.items()}
    found["member"].groups.add(Group.objects.create(name="testers"))
    return found | {"anonymous": AnonymousUser()}


def prepare_flag(users: dict[str, Any], conditions: dict[str, Any]) -> Flag:
    fields = {key: value for key, value in conditions.items() if key not in {"users", "groups"}}
    flag = create_flag("checkout", **fields)
    flag.users.set([users[name] for name in conditions.get("users", ())])
    flag.groups.set(Group.objects.filter(name__in=conditions.get("groups", ())))
    route(gate=("flag", "checkout"))
    return flag


def request_of(user: Any, path: str = "/", **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers)
    request.user = user
    request.LANGUAGE_CODE = "de"
    return request


def is_open(request: HttpRequest) -> bool:
    gate = load_policy("default").endpoint_rules["shop:product-list"].gate
    assert gate is not None
    return gate.is_open(RequestParty(request))


@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_a_compiled_flag_agrees_with_waffle_for_every_kind_of_user(
    conditions: dict[str, Any], users: dict[str, Any]
) -> None:
    flag = prepare_flag(users, conditions)
    ours = {name: is_open(request_of(user)) for name, user in users.items()}
    assert ours == {name: bool(flag.is_active(request_of(user))) for name, user in users.items()}
    if "languages" not in conditions:
        assert ours == {name: bool(flag.is_active_for_user(user)) for name, user in users.items()}


def test_a_percentage_does_not_shut_out_those_whom_another_condition_lets_in(users: dict[str, Any]) -> None:
    flag = prepare_flag(users, {"percent": Decimal("0.1"), "staff": True})
    assert is_open(request_of(users["staff"])) is flag.is_active(request_of(users["staff"])) is True


def test_testing_a_flag_in_the_browser_does_not_open_the_gate(users: dict[str, Any]) -> None:
    flag = prepare_flag(users, {"testing": True})
    request = request_of(users["plain"], "/?dwft_checkout=1")
    assert flag.is_active(request)
    assert not is_open(request)


@override_settings(WAFFLE_OVERRIDE=True)
def test_overriding_a_flag_in_the_address_does_not_open_the_gate(users: dict[str, Any]) -> None:
    flag = prepare_flag(users, {})
    request = request_of(users["plain"], "/?checkout=1")
    assert flag.is_active(request)
    assert not is_open(request)


def test_a_cookie_of_waffle_does_not_open_the_gate(users: dict[str, Any]) -> None:
    flag = prepare_flag(users, {"percent": Decimal("0.1")})
    request = request_of(users["plain"])
    request.COOKIES["dwf_checkout"] = "True"
    assert flag.is_active(request)
    assert not is_open(request)


def test_a_request_without_a_user_is_let_in_by_nothing_that_targets_users(users: dict[str, Any]) -> None:
    prepare_flag(users, {"authenticated": True, "groups": ["testers"]})
    request = request_of(None)
    del request.user
    assert not is_open(request)


def test_a_member_of_a_group_costs_one_query_per_unit(users: dict[str, Any], django_assert_num_queries) -> None:
    prepare_flag(users, {"groups": ["testers"]})
    gate = load_policy("default").endpoint_rules["shop:product-list"].gate
    assert gate is not None
    party = RequestParty(request_of(users["member"]))
    with django_assert_num_queries(1):
        assert all(gate.is_open(party) for _ in range(3))
