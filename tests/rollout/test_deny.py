"""Which models never leave the primary."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db.models import ManyToManyField, Model
from django.test import override_settings
from django.test.utils import isolate_apps
from waffle.models import Flag, Sample, Switch

from demo.shop.models import Category, Product
from rollout.deny import is_denied
from rollout.models import PolicyRevision, RoutingRule, Tally

NOTHING: frozenset[str] = frozenset()


ALWAYS_DENIED = (
    *(User, Group, User.groups.through, Session, ContentType, LogEntry),
    *(Flag, Flag.users.through, Switch, Sample),
    *(RoutingRule, PolicyRevision, Tally),
)


@pytest.mark.parametrize("model", ALWAYS_DENIED)
def test_these_models_are_denied_whatever_the_settings_say(model: type[Model]) -> None:
    assert is_denied(model, NOTHING)


@isolate_apps("demo.shop")
def test_a_custom_session_is_denied_in_any_app() -> None:
    class OwnSession(AbstractBaseSession):
        class Meta(AbstractBaseSession.Meta):
            app_label = "shop"

    assert is_denied(OwnSession, NOTHING)


@isolate_apps("demo.shop")
def test_the_table_of_a_many_to_many_relation_is_denied_with_its_model() -> None:
    class Ledger(Model):
        friends = ManyToManyField("self")

        class Meta:
            app_label = "shop"

        def __str__(self) -> str:
            return "ledger"

    assert is_denied(Ledger.friends.through, frozenset({"shop.Ledger"}))


def test_other_models_are_not_denied() -> None:
    assert not is_denied(Product, NOTHING)


@pytest.mark.parametrize(
    ("deny", "expected"),
    [
        ({"shop"}, True),
        ({"shop.Product"}, True),
        ({"shop.Category"}, False),
        ({"shop.product"}, False),
        ({"Product"}, False),
        ({"demo"}, False),
    ],
)
def test_a_host_denies_an_app_or_a_model_by_its_label(deny: set[str], expected: bool) -> None:
    assert is_denied(Product, frozenset(deny)) is expected


@isolate_apps("demo")
def test_a_proxy_and_a_child_are_denied_with_the_tables_they_read() -> None:
    class Bargain(Product):
        class Meta:
            proxy = True
            app_label = "demo"

    class BetterBargain(Bargain):
        class Meta:
            proxy = True
            app_label = "demo"

    class Book(Product):
        class Meta:
            app_label = "demo"

    for model in (Bargain, BetterBargain, Book):
        assert is_denied(model, frozenset({"shop.Product"}))
        assert is_denied(model, frozenset({"shop"}))
        assert not is_denied(model, frozenset({"shop.Category"}))


@isolate_apps("demo")
def test_a_proxy_of_a_user_is_denied_in_any_app() -> None:
    class Author(User):
        class Meta:
            proxy = True
            app_label = "demo"

    assert is_denied(Author, NOTHING)


@isolate_apps("demo")
def test_a_parent_is_not_denied_for_its_child() -> None:
    class Book(Product):
        class Meta:
            app_label = "demo"

    assert is_denied(Book, frozenset({"demo.Book"}))
    assert not is_denied(Product, frozenset({"demo.Book"}))


@pytest.mark.parametrize(
    "setting", ["AUTH_USER_MODEL", "WAFFLE_FLAG_MODEL", "WAFFLE_SWITCH_MODEL", "WAFFLE_SAMPLE_MODEL"]
)
@pytest.mark.parametrize("label", ["shop.Category", "shop.category"])
def test_a_custom_user_model_or_gate_is_denied_wherever_it_lives(setting: str, label: str) -> None:
    assert not is_denied(Category, NOTHING)
    options: dict[str, Any] = {setting: label}
    with override_settings(**options):
        assert is_denied(Category, NOTHING)
        assert not is_denied(Product, NOTHING)
    assert not is_denied(Category, NOTHING)
