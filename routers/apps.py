"""The app that carries decisions out."""

from django.apps import AppConfig


class RoutersConfig(AppConfig):
    name = "routers"
    label = "readshift_routers"
    verbose_name = "Readshift: read path"

    def ready(self) -> None:
        from routers import agent, celery, checks, generic_relations, prober, wire  # noqa: PLC0415 - models must be loaded first

        checks.register()
        wire.connect()
        generic_relations.connect()
        celery.connect()
        agent.connect()
        prober.connect()
