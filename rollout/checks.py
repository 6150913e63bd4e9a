"""System checks: what is wrong with the configuration, found at start-up and not under traffic."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core import checks
from django.db import connections
from django.utils.module_loading import import_string

from rollout.settings import get_problems, get_settings

PACKAGES = ("rollout", "routers", "tasks", "admin_ui")


def register() -> None:
    """Register the checks. Called once, when the apps are ready."""
    for check in (check_setting, check_databases, check_names, check_shadowed_packages):
        checks.register(check, "readshift")


def check_setting(**_: Any) -> list[checks.CheckMessage]:
    """Report what is wrong with the shape of READSHIFT."""
    return [checks.Error(problem.message, hint=problem.hint, id=problem.code) for problem in get_problems()]


def check_databases(**_: Any) -> list[checks.CheckMessage]:
    """Report database settings that cannot work, or that surprise, with replicas."""
    return [message for cluster in get_settings().clusters.values() for message in _cluster_messages(cluster.primary)]


def _cluster_messages(primary: str) -> Iterator[checks.CheckMessage]:
    cluster = get_settings().clusters[primary]
    for alias in sorted(cluster.aliases):
        if connections[alias].vendor != "postgresql":
            yield checks.Error(
                f"The alias {alias!r} uses {django_settings.DATABASES[alias]['ENGINE']!r}, which is not PostgreSQL.",
                hint="Readshift routes between PostgreSQL servers. Take the alias out of READSHIFT.",
                id="readshift.E007",
            )
    if not cluster.replicas:
        yield checks.Warning(
            f"The cluster {primary!r} has no replica, so all of its reads stay on the primary.",
            hint='Name its standbys, such as "REPLICAS": ["replica1"].',
            id="readshift.W001",
        )
    for replica in cluster.replicas:
        options = django_settings.DATABASES[replica.alias]
        if options.get("ATOMIC_REQUESTS"):
            yield checks.Warning(
                f"The replica {replica.alias!r} has ATOMIC_REQUESTS, so each request opens a transaction on it and "
                "fails when it is down.",
                hint=f'Remove ATOMIC_REQUESTS from DATABASES["{replica.alias}"].',
                id="readshift.W002",
            )
        if options.get("TEST", {}).get("MIRROR") != primary:
            yield checks.Warning(
                f"The replica {replica.alias!r} is no test mirror of {primary!r}, so a test run would try to create a "
                "database on it.",
                hint=f'Add "TEST": {{"MIRROR": "{primary}"}} to DATABASES["{replica.alias}"].',
                id="readshift.W003",
            )


def check_names(**_: Any) -> list[checks.CheckMessage]:
    """Report names in READSHIFT that stand for no app, model or function."""
    settings = get_settings()
    labels = {label for cluster in settings.clusters.values() for label in cluster.apps}
    models_as_apps = {label for label in labels if "." in label}
    messages: list[checks.CheckMessage] = [
        checks.Error(
            f"READSHIFT names {name!r}, which is no installed app and no model.",
            hint="Write an app label, such as ledger, or a model's label, such as ledger.Entry.",
            id="readshift.E008",
        )
        for name in sorted(settings.deny | labels - models_as_apps)
        if not _names_app_or_model(name)
    ]
    messages += [
        checks.Error(
            f"READSHIFT names {name!r} among the APPS of a cluster, which is no app label, so it serves nothing.",
            hint="Write an app label, such as ledger. All models of an app belong to one cluster.",
            id="readshift.E008",
        )
        for name in sorted(models_as_apps)
    ]
    paths = {
        "ACTOR": (settings.actor, "takes the request and returns a string or None"),
        "SESSION_STATE": (settings.session_state, "takes the connection and sets what your statements rely on"),
    }
    for name, (path, purpose) in paths.items():
        if path is not None and (wrong := _what_is_wrong_with(path)):
            messages.append(
                checks.Error(
                    f'READSHIFT["{name}"] is {path!r}, which {wrong}.',
                    hint=f"Write the dotted path of a function that {purpose}.",
                    id="readshift.E009",
                )
            )
    return messages


def _what_is_wrong_with(path: str) -> str:
    """Say why this dotted path names no function, or return an empty text."""
    try:
        return "" if callable(import_string(path)) else "cannot be called"
    except ImportError as error:
        return f"cannot be imported: {error}"


def _names_app_or_model(name: str) -> bool:
    try:
        if "." not in name:
            return bool(apps.get_app_config(name))
        label: str = apps.get_model(name)._meta.label
    except (LookupError, ValueError):
        return False
    return label == name


def check_shadowed_packages(**_: Any) -> list[checks.CheckMessage]:
    """Report modules of the host project that hide ours, whose names are common ones."""
    return [message for name in PACKAGES if (message := shadowed(name)) is not None]


def shadowed(name: str) -> checks.Error | None:
    """Return what is wrong when this package of ours is hidden by another one."""
    home = Path(__file__).resolve().parent.parent
    spec = find_spec(name)
    origin = Path(spec.origin).resolve() if spec and spec.origin else None
    if origin is not None and home in origin.parents:
        return None
    return checks.Error(
        f"The package {name!r} of django-readshift is hidden by {origin or 'nothing importable'}.",
        hint=f"Rename the module {name!r} of your project, or move it into a package of its own.",
        id="readshift.E010",
    )
