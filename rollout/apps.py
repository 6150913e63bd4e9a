"""The app that decides."""

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured


class RolloutConfig(AppConfig):
    name = "rollout"
    label = "readshift"
    verbose_name = "Readshift"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rollout import changes, checks, journal, notices  # noqa: PLC0415 - models must be loaded first

        # Without the read path the project fails on an import, before any check runs, with a message that helps nobody.
        if problem := checks.shadowed("routers"):
            raise ImproperlyConfigured(f"{problem.msg} {problem.hint} ({problem.id})")
        checks.register()
        changes.connect()
        journal.connect()
        notices.connect()
