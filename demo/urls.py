"""The demo's addresses: the shop, and the Django admin with Readshift's pages in it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("demo.shop.urls")),
]
