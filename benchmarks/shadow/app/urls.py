from django.conf import settings
from django.urls import path

from benchmarks.shadow.app import views
from benchmarks.shadow.app.planted import PLANTED
from benchmarks.shadow.app.rules import MODES
from benchmarks.shadow.app.shapes import SHAPES

urlpatterns = [
    path("ready", views.ready, name="ready"),
    path("shapes", views.shapes, name="shapes"),
    *(
        path(f"{mode}/{shape}/<int:seed>", views.read, {"shape": shape}, name=f"{mode}-{shape}")
        for mode in MODES
        for shape in SHAPES
    ),
    *(path(f"planted/{fault}", views.planted, {"fault": fault}, name=f"planted-{fault}") for fault in PLANTED),
    path("page/<int:seed>", views.page, name=f"page-{settings.SHADOW_PAGE}"),  # type: ignore[misc] # another project's
    path("counter", views.counter, name="counter"),
    path("bulk", views.bulk, name="bulk"),
]
