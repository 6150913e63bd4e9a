"""The migrations of `rollout` and what they leave behind."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from waffle.models import Switch

from rollout.models import RoutingRule
from rollout.policy import KILL_SWITCH
from tests.support import route

pytestmark = pytest.mark.django_db

migration: Any = import_module("rollout.migrations.0002_kill_switch")


def test_the_migrations_describe_the_models() -> None:
    call_command("makemigrations", "readshift", "--check", "--dry-run", verbosity=0)


def test_rules_from_before_the_contracts_get_that_of_sessions_and_migrating_back_loses_only_it() -> None:
    route("names", contract="any")
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("readshift")
    migrate_to([("readshift", "0002_kill_switch")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM readshift_routingrule")
        assert "contract" not in [column.name for column in cursor.description or ()]
    migrate_to(newest)
    assert [(rule.target, rule.contract) for rule in RoutingRule.objects.all()] == [("names", "session")]


def test_rules_from_before_the_fallback_budget_read_the_primary_over_it() -> None:
    route("names", contract="any", over_budget="shed")
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("readshift")
    migrate_to([("readshift", "0003_freshness_contract")])
    assert "readshift_drainedreplica" not in connection.introspection.table_names()
    migrate_to(newest)
    assert [(rule.contract, rule.over_budget) for rule in RoutingRule.objects.all()] == [("any", "primary")]


def migrate_to(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def test_migrating_creates_the_kill_switch_turned_on() -> None:
    Switch.objects.all().delete()
    with connection.schema_editor() as editor:
        migration.create(apps, editor)
    assert Switch.objects.get().name == KILL_SWITCH
    assert Switch.objects.get().active


def test_migrating_leaves_a_kill_switch_as_it_is() -> None:
    Switch.objects.update_or_create(name=KILL_SWITCH, defaults={"active": False})
    with connection.schema_editor() as editor:
        migration.create(apps, editor)
    assert not Switch.objects.get(name=KILL_SWITCH).active


def test_migrating_back_takes_the_kill_switch_and_no_other() -> None:
    Switch.objects.get_or_create(name=KILL_SWITCH)
    Switch.objects.create(name="other")
    with connection.schema_editor() as editor:
        migration.delete(apps, editor)
    assert [switch.name for switch in Switch.objects.all()] == ["other"]
