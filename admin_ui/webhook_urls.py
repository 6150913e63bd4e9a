"""The webhook's address, for projects to include: `path("", include("admin_ui.webhook_urls"))`."""

from django.urls import path

from admin_ui.webhooks import rollback

urlpatterns = [path("readshift/rollback/", rollback, name="readshift_rollback")]
