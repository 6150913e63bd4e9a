from django.apps import AppConfig


class PropagationConfig(AppConfig):
    name = "benchmarks.propagation.app"
    label = "propagation"
    default_auto_field = "django.db.models.BigAutoField"
