"""Which pages Readshift shows: those in the navigation, and whatever can be reached from them.

Tests and pictures ask here, so that a new page is among them without anybody naming it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

from django.contrib import admin
from django.urls import Resolver404, resolve, reverse
from django.utils.text import slugify

from admin_ui.dashboard import DashboardAdmin
from admin_ui.models import Dashboard

_LINK = re.compile(r'<a\b[^>]*\shref="([^"]*)"')
_PREFIX = "readshift_"
_RULES = f"{_PREFIX}routingrule_"
_OF_RULES = (f"{_RULES}changelist", f"{_RULES}add", f"{_RULES}change")
"""The names of the addresses of the rules' own admin."""

Fetch = Callable[[str], str]
"""Returns the HTML document at a path, or an empty string if there is something else, or nothing."""


@dataclass(frozen=True, slots=True)
class PageOfOurs:
    """name: fit for a file. path: of one example, where there are many."""

    name: str
    path: str


def find_pages(fetch: Fetch) -> tuple[PageOfOurs, ...]:
    """Return all pages, those of the navigation first. Where there is one for each rule or so, it is one of them."""
    dashboard = DashboardAdmin(Dashboard, admin.site)
    labels = {entry[1]: entry[0] for section in dashboard.sections if (entry := section.entry)}
    wanted = {pattern.name for pattern in dashboard.get_urls()} | set(_OF_RULES)
    paths = [reverse(f"admin:{name}") for name in (*labels, _OF_RULES[0], _OF_RULES[1])]
    found: dict[str, PageOfOurs] = {}
    for path in paths:  # Links are added to it meanwhile.
        name = _name_at(path)
        if name not in wanted or name in found or not (document := fetch(path)):
            continue
        found[name] = PageOfOurs(slugify(labels.get(name) or name.removeprefix(_PREFIX).replace("_", " ")), path)
        paths += [urljoin(path, unescape(link)) for link in _LINK.findall(document)]
    return tuple(found.values())


def _name_at(path: str) -> str:
    parts = urlsplit(path)
    try:
        return "" if parts.netloc else resolve(parts.path).url_name or ""
    except Resolver404:
        return ""
