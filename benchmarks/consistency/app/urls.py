from django.urls import path

from benchmarks.consistency.app import views

urlpatterns = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("list", views.read_all, name="list"),
    path("read/<str:key>", views.read, name="read"),
    path("document/<str:key>", views.read_document, name="document"),
    path("write/<str:key>", views.write, name="write"),
    path("write-after-read/<str:key>", views.write_after_read, name="write-after-read"),
    path("enqueue/<str:kind>/<str:key>", views.enqueue, name="enqueue"),
    path("task/<str:identifier>", views.task, name="task"),
]
