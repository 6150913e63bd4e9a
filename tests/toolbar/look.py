"""Requests a page of that project in several ways, and writes what Readshift's panel shows of each, as JSON.

The ways: sync; async; and bare, without Readshift's middleware.
"""

import asyncio
import json
import re
import sys
from typing import Any

import django
from django.conf import settings
from django.test import AsyncClient, Client, override_settings
from django.urls import reverse

MIDDLEWARE = "routers.middleware.ReadshiftMiddleware"


async def _asked_async(path: str) -> Any:
    return await AsyncClient().get(path)


def _seen(response: Any) -> dict[str, str]:
    page = response.content.decode()
    found = re.search(r'data-request-id="(\w+)"', page)
    asked = {"request_id": found[1] if found else "", "panel_id": "ReadshiftPanel"}
    panel = Client().get(reverse("djdt:render_panel"), asked).json()["content"]
    return {"page": page, "panel": panel}


def main(path: str) -> None:
    django.setup()
    seen = {"sync": _seen(Client().get(path)), "async": _seen(asyncio.run(_asked_async(path)))}
    with override_settings(MIDDLEWARE=[name for name in settings.MIDDLEWARE if name != MIDDLEWARE]):
        seen["bare"] = _seen(Client().get(path))
    sys.stdout.write(json.dumps(seen))


main(sys.argv[1])
