"""Create the kill switch, on. Nothing is routed by it alone: there are no rules yet.

Should somebody delete it later, every read goes to the primary; it is not created again.
"""

from django.conf import settings
from django.db import migrations

NAME = "readshift"


def _switches(apps, schema_editor):
    model = apps.get_model(getattr(settings, "WAFFLE_SWITCH_MODEL", "waffle.Switch"))
    return model._base_manager.using(schema_editor.connection.alias)


def create(apps, schema_editor):
    _switches(apps, schema_editor).get_or_create(
        name=NAME,
        defaults={"active": True, "note": "Readshift's kill switch: off sends every read to the primary."},
    )


def delete(apps, schema_editor):
    _switches(apps, schema_editor).filter(name=NAME).delete()


def _switch_app():
    return getattr(settings, "WAFFLE_SWITCH_MODEL", "waffle.Switch").split(".")[0]


class Migration(migrations.Migration):
    dependencies = [
        ("readshift", "0001_initial"),
        (_switch_app(), "__latest__" if _switch_app() == "waffle" else "__first__"),
    ]

    operations = [migrations.RunPython(create, delete, elidable=False)]
