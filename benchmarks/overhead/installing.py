"""The systems that are compared here: those of all benchmarks, and what they are held against."""

from collections.abc import Sequence

from benchmarks.systems import SYSTEMS, Installation, install

MULTIDB = "multidb_router"
NO_ROUTER, CONSTANT, NAIVE_WAFFLE = "no_router", "constant", "naive_waffle"
COMPARED = (*SYSTEMS, NO_ROUTER, CONSTANT, NAIVE_WAFFLE)


def installation(system: str, replicas: Sequence[str]) -> Installation:
    """Return how this system is installed in a project with these replicas."""
    peers = "benchmarks.overhead.peers"
    match system:
        case "no_router":
            return Installation({}, "")
        case "constant":
            return Installation({"DATABASE_ROUTERS": [f"{peers}.ConstantRouter"]}, "")
        case "naive_waffle":
            routers = {"DATABASE_ROUTERS": [f"{peers}.NaiveWaffleRouter"]}
            return Installation(routers, f"{peers}.RequestMiddleware", ("waffle",))
    return install(system, replicas, {})


def further_middleware(installed: Installation) -> tuple[str, ...]:
    """Return what Django itself must have installed: waffle's percentages do nothing without `request.user`."""
    if not installed.middleware.endswith("RequestMiddleware"):
        return ()
    return (
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    )
