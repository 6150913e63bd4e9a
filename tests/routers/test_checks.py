"""System checks of the read path."""

from django.core.checks import run_checks


def ids() -> set[str | None]:
    return {message.id for message in run_checks(tags=["readshift"])}


def test_a_complete_project_has_nothing_to_report() -> None:
    assert ids() == set()


def test_a_missing_router_is_reported(settings) -> None:
    settings.DATABASE_ROUTERS = []
    assert ids() == {"readshift.W004"}


def test_a_missing_middleware_is_reported(settings) -> None:
    settings.MIDDLEWARE = [entry for entry in settings.MIDDLEWARE if "routers" not in entry]
    assert ids() == {"readshift.W005"}


def test_without_clusters_neither_is_missed(settings) -> None:
    settings.READSHIFT = {}
    settings.DATABASE_ROUTERS = []
    settings.MIDDLEWARE = []
    assert ids() == set()
