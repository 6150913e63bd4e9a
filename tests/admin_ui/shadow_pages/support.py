"""Addresses of the pages of shadow reads, and reads as their comparison leaves them."""

from datetime import timedelta
from typing import Any

from django.test import Client

from rollout.models import Mode, RoutingRule, ShadowRead, TargetKind
from rollout.outcomes import Outcome, ShadowCause
from tests.admin_ui.support import DASHBOARD, text
from tests.support import route
from tests.tasks.reporting.reported import sealed, store

LIST = f"{DASHBOARD}shadow/"
CSV = f"{LIST}export.csv"
JSON = f"{LIST}export.json"
LOOK_AT_ALL = f"{LIST}looked-at/"

SECRET = "hunter2"
SHOWN = "4.50 as shown"
HASH = "a1b2c3d4e5f6"

DETAILS = {
    "positions": {"primary": 0x1_2345_6789, "replica": 0x1_2345_9789},
    "brackets": 6,
    "rows": {"primary": 20, "replica": 19},
    "is_sample": False,
    "changed": 12,
    "missing": 1,
    "extra": 1,
    "is_order_changed": False,
    "columns": [{"column": "price", "rows": 12}],
    "examples": {
        "changed": [
            {
                "row": 3,
                "row_of_replica": 4,
                "key": [{"column": "id", "hash": HASH}],
                "primary": [{"column": "price", "value": SHOWN}],
                "replica": [{"column": "price", "value": None}],
            }
        ],
        "missing": [{"row": 7, "cells": [{"column": "id", "hash": HASH}]}],
        "extra": [{"row": 9, "cells": [{"column": "id", "hash": HASH}]}],
    },
    "surroundings": [{"name": "TimeZone", "primary": "UTC", "replica": "Asia/Tokyo"}],
}
"""What a comparison tells of answers that differ in every way, with values of a column that the host has allowed."""


def detail(read: ShadowRead) -> str:
    return f"{LIST}{read.pk}/"


def observing(target: str = "shop:product-list", kind: str = TargetKind.ENDPOINT) -> RoutingRule:
    return route(target, mode=Mode.OBSERVE, kind=kind)


def diverged(count: int = 1, age: timedelta = timedelta(minutes=1), **changes: Any) -> list[ShadowRead]:
    """Store divergent reads of which everything is kept that may be."""
    values: dict[str, Any] = {
        "outcome": Outcome.DIVERGENT,
        "cause": ShadowCause.CHANGED_COLUMN,
        "sealed": sealed(f"SELECT '{SECRET}'".encode(), SECRET.encode()),
        "details": DETAILS,
    }
    return store(count, age, **(values | changes))


def page(client: Client, address: str = LIST) -> str:
    """Return a page as text, with plain spaces."""
    response = client.get(address)
    assert response.status_code == 200
    return text(response).replace("\N{NARROW NO-BREAK SPACE}", " ")


def listed(client: Client, query: str = "") -> list[int]:
    """Return the ids of the reads that a list shows, in its order."""
    return [row.pk for row in client.get(f"{LIST}{query}").context["listing"].rows]


def downloaded(client: Client, address: str) -> str:
    """Return what is sent piece by piece."""
    response: Any = client.get(address)
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response.streaming_content).decode()
