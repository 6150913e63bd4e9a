from django.apps import AppConfig


class ShadowConfig(AppConfig):
    name = "benchmarks.shadow.app"
    label = "shadow"
    default_auto_field = "django.db.models.BigAutoField"
