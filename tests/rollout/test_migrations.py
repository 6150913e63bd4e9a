"""The migrations of `rollout` and what they leave behind."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from waffle.models import Switch

from rollout.policy import KILL_SWITCH

pytestmark = pytest.mark.django_db

migration: Any = import_module("rollout.migrations.0002_kill_switch")


def test_the_migrations_describe_the_models() -> None:
    call_command("makemigrations", "readshift", "--check", "--dry-run", verbosity=0)


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
