"""Who a request serves."""

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import RequestFactory

from routers.subjects import ACTOR_KEY_LENGTH, RequestParty

SESSION = django_settings.SESSION_COOKIE_NAME


def party(cookies: dict[str, str] | None = None, **headers: str) -> RequestParty:
    request = RequestFactory().get("/", headers=headers)
    request.COOKIES.update(cookies or {})
    return RequestParty(request)


def test_a_session_is_one_actor_on_any_device_that_shows_it() -> None:
    one, other = party({SESSION: "abc"}, user_agent="phone"), party({SESSION: "abc"}, user_agent="laptop")
    assert one.actor == other.actor
    assert one.actor != party({SESSION: "def"}).actor


def test_credentials_are_an_actor_where_there_is_no_session() -> None:
    assert party(authorization="Bearer one").actor == party(authorization="Bearer one", user_agent="x").actor
    assert party(authorization="Bearer one").actor != party(authorization="Bearer two").actor
    assert party({SESSION: "abc"}, authorization="Bearer one").actor == party({SESSION: "abc"}).actor


def test_other_clients_are_told_apart_by_their_traits() -> None:
    assert party(user_agent="one").actor == party(user_agent="one").actor
    assert party(user_agent="one").actor != party(user_agent="two").actor


def test_the_same_value_of_another_kind_is_another_actor() -> None:
    assert party({SESSION: "x"}).actor != party(authorization="x").actor


def test_a_key_shows_nothing_of_what_it_stands_for(settings) -> None:
    key = party(authorization="Basic c2VjcmV0").actor
    assert key is not None
    assert len(key) == ACTOR_KEY_LENGTH
    assert "c2VjcmV0" not in key
    settings.SECRET_KEY = "another"
    assert party(authorization="Basic c2VjcmV0").actor != key


def test_a_session_that_lives_in_its_cookie_counts_by_its_user() -> None:
    def signed_in(**data: object) -> RequestParty:
        request = RequestFactory().get("/")
        request.session = SessionStore()
        request.session.update({"_auth_user_id": "7", **data})
        request.COOKIES[SESSION] = f"changes with {data}"
        return RequestParty(request)

    assert signed_in(cart=1).actor == signed_in(cart=2).actor


@pytest.mark.django_db
def test_a_user_who_is_set_late_is_found(rf: RequestFactory) -> None:
    request = rf.get("/")
    found = RequestParty(request)
    assert found.user is None
    assert found.group_ids == frozenset()
    user = User.objects.create_user("ada")
    group = Group.objects.create(name="staff")
    user.groups.add(group)
    request.user = user
    late = RequestParty(request)
    assert late.user == user
    assert late.group_ids == {group.pk}


def test_nobody_in_particular_is_in_no_group(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    assert RequestParty(request).language is None
    assert 0 <= RequestParty(request).dice < 100_000
