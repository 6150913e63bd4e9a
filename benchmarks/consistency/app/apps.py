from django.apps import AppConfig


class ConsistencyConfig(AppConfig):
    name = "benchmarks.consistency.app"
    label = "consistency"
    default_auto_field = "django.db.models.BigAutoField"
