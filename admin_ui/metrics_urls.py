"""The metrics' address, for projects to include: `path("", include("admin_ui.metrics_urls"))`."""

from django.urls import path

from admin_ui.metrics.views import metrics

urlpatterns = [path("readshift/metrics/", metrics, name="readshift_metrics")]
