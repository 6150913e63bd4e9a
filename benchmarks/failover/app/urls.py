from django.urls import path

from benchmarks.failover.app import views

urlpatterns = [
    path("page/<str:key>", views.page, name="page"),
    path("strict/<str:key>", views.strict, name="strict"),
    path("write/<str:key>", views.write, name="write"),
]
