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
_LIST_OF_RULES, _NEW_RULE = f"{_PREFIX}routingrule_changelist", f"{_PREFIX}routingrule_add"
_OF_RULES = {_LIST_OF_RULES: "rules", _NEW_RULE: "rule-add", f"{_PREFIX}routingrule_change": "rule-form"}
"""The rules' own admin: names of addresses, and what its pages are called."""

Fetch = Callable[[str], str]
"""Returns the HTML document at a path, or an empty string if there is something else, or nothing."""


@dataclass(frozen=True, slots=True)
class PageOfOurs:
    """name: fit for a file. address: its name among the admin's. path: of one example, where there are many."""

    name: str
    address: str
    path: str


def find_pages(fetch: Fetch) -> tuple[PageOfOurs, ...]:
    """Return all pages, those of the navigation first. Where there is one for each rule or so, it is one of them."""
    dashboard = DashboardAdmin(Dashboard, admin.site)
    labels = {entry[1]: slugify(entry[0]) for section in dashboard.sections if (entry := section.entry)}
    named = labels | _OF_RULES
    wanted = {pattern.name for pattern in dashboard.get_urls()} | _OF_RULES.keys()
    paths = [reverse(f"admin:{address}") for address in (*labels, _LIST_OF_RULES, _NEW_RULE)]
    found: dict[str, PageOfOurs] = {}
    for path in paths:  # Links are added to it meanwhile.
        address = _address_at(path)
        if address not in wanted or address in found or not (document := fetch(path)):
            continue
        name = named.get(address) or slugify(address.removeprefix(_PREFIX).replace("_", " "))
        found[address] = PageOfOurs(name, address, path)
        paths += [urljoin(path, unescape(link)) for link in _LINK.findall(document)]
    return tuple(found.values())


def _address_at(path: str) -> str:
    parts = urlsplit(path)
    try:
        return "" if parts.netloc else resolve(parts.path).url_name or ""
    except Resolver404:
        return ""
