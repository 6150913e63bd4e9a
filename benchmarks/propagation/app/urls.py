from django.urls import path

from benchmarks.propagation.app import views

urlpatterns = [path("page", views.page, name="page")]
