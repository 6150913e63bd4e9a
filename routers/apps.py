"""The app that carries decisions out."""

from django.apps import AppConfig


class RoutersConfig(AppConfig):
    name = "routers"
    label = "readshift_routers"
    verbose_name = "Readshift: read path"

    def ready(self) -> None:
        from rollout import acting  # noqa: PLC0415 - models must be loaded first
        from routers import (  # noqa: PLC0415 - models must be loaded first
            agent,
            arms,
            celery,
            checks,
            connecting,
            courier,
            doors,
            endpoint_meter,
            fallback,
            generic_relations,
            prober,
            wire,
        )

        checks.register()
        connecting.limit_waiting()
        wire.connect()
        generic_relations.connect()
        celery.connect()
        agent.connect()
        arms.arms.connect()
        endpoint_meter.endpoint_meter.connect()
        fallback.connect()
        prober.connect()
        courier.connect()
        acting.find_by(doors.whoever_runs)
