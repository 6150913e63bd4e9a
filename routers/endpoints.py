"""Endpoints: how units are named, and which names a project has."""

from collections.abc import Iterator

from celery import current_app
from django.core.management import get_commands
from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver

from rollout.settings import get_settings

UNRESOLVED = "(unresolved)"
"""The endpoint of a request before a view is found for it, and of one that has none."""

OVERFLOW = "(other)"
"""The endpoint and model under which a full meter counts what it has not seen yet."""

LONGEST = 200
"""Characters that the tables hold."""

_declared: set[str] = set()


def declare(endpoint: str) -> None:
    """Remember a name that code gives to a unit, as long as the tables hold it."""
    _declared.add(endpoint[:LONGEST])


def view_endpoint(match: ResolverMatch) -> str:
    """Return the name of a view, such as `shop:product-list`, or its route if the pattern has no name. Never a URL."""
    return (match.view_name if match.url_name else match.route)[:LONGEST]


def known_endpoints() -> frozenset[str]:
    """Return every name that a rule can refer to: views, tasks, commands, and names given by hand."""
    tasks = {name for name in current_app.tasks if not name.startswith("celery.")}
    return frozenset({*_views(get_resolver(), "", ()), *tasks, *get_commands(), *_declared, *get_settings().endpoints})


def _views(resolver: URLResolver, route: str, namespaces: tuple[str, ...]) -> Iterator[str]:
    for entry in resolver.url_patterns:
        here = route + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield (":".join((*namespaces, entry.name)) if entry.name else here)[:LONGEST]
        else:
            yield from _views(entry, here, (*namespaces, entry.namespace) if entry.namespace else namespaces)
