"""The app that decides."""

from django.apps import AppConfig


class RolloutConfig(AppConfig):
    name = "rollout"
    label = "readshift"
    verbose_name = "Readshift"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rollout import changes, checks  # noqa: PLC0415 - models must be loaded first

        checks.register()
        changes.connect()
