from django.apps import AppConfig


class OverheadConfig(AppConfig):
    name = "benchmarks.overhead.app"
    label = "overhead"
    default_auto_field = "django.db.models.BigAutoField"
