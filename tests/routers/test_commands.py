"""Management commands as units."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, router

from demo.shop.models import Product
from routers.agent import agent
from routers.commands import RoutedCommand
from routers.prober import prober
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Report(RoutedCommand):
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> str:
        return router.db_for_read(Product)


class Plain(BaseCommand):
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> str:
        return router.db_for_read(Product)


def alias(command: BaseCommand) -> str:
    out = StringIO()
    call_command(command, stdout=out)
    return out.getvalue().strip()


def test_a_routed_command_follows_the_rule_for_its_name(shop: Servers) -> None:
    assert alias(Report()) == "default"
    route("test_commands")
    assert alias(Report()) in {"replica1", "replica2"}


def test_it_is_the_first_to_ask_the_servers_and_does_not_wait_for_a_prober(shop: Servers, settings: Any) -> None:
    route("test_commands")
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "background"}
    try:
        assert alias(Report()) in {"replica1", "replica2"}
    finally:
        prober.stop()
        agent.stop()


def test_other_commands_read_from_the_primary(shop: Servers) -> None:
    route("shop.Product", kind="model")
    assert alias(Plain()) == "default"


def test_a_routed_command_runs_before_migrate(shop: Servers) -> None:
    connection.cursor().execute("ALTER TABLE readshift_routingrule RENAME TO elsewhere")
    try:
        assert alias(Report()) == "default"
    finally:
        connection.cursor().execute("ALTER TABLE elsewhere RENAME TO readshift_routingrule")
