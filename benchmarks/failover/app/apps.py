from django.apps import AppConfig


class FailoverConfig(AppConfig):
    name = "benchmarks.failover.app"
    label = "failover"
    default_auto_field = "django.db.models.BigAutoField"
