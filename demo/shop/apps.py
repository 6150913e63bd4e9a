"""The app's configuration."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """The shop as Django sees it."""

    name = "demo.shop"
    label = "shop"
    default_auto_field = "django.db.models.BigAutoField"
