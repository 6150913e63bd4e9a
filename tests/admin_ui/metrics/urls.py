"""The suite's addresses, and that of the metrics."""

from django.urls import include, path

urlpatterns = [path("", include("admin_ui.metrics_urls")), path("", include("tests.urls"))]
