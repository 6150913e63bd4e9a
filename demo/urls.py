"""The demo's addresses: the shop, the Django admin with Readshift's pages in it, and the metrics."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("admin_ui.metrics_urls")),
    path("", include("demo.shop.urls")),
]
