from django.urls import path

from benchmarks.overhead.app import views

urlpatterns = [
    path("page", views.page, name="page"),
    path("async-page", views.async_page, name="async-page"),
    path("empty", views.empty, name="empty"),
    path("async-empty", views.async_empty, name="async-empty"),
]
