"""The app that shows and steers."""

from django.apps import AppConfig


class AdminUiConfig(AppConfig):
    name = "admin_ui"
    label = "readshift_admin"
    verbose_name = "Readshift: dashboard"
    default_auto_field = "django.db.models.BigAutoField"
