"""Tokens between services that share a cluster: what one of them wrote, the others show to the same actor.

They share SECRET_KEY, name the cluster's primary by the same alias, and have the same `TOKEN_HEADER`. Requests that
carry the header are understood by the middleware, and responses carry it after a write.
"""

import time
from collections.abc import Mapping

from rollout.settings import get_settings
from routers.current import current_unit
from routers.tokens import decode, encode
from routers.whereabouts import token_for_task


def outgoing_headers() -> dict[str, str]:
    """Return the headers to send along when this unit calls another service; none where there is nothing to tell.

    Costs a question to each primary that the unit has written to since it was last asked.
    """
    unit, name = current_unit(), get_settings().token_header
    if unit is None or name is None:
        return {}
    token = token_for_task(unit.trail, time.time())
    return {name: encode(token)} if token else {}


def adopt(headers: Mapping[str, str]) -> None:
    """Take over from the headers of another service's response what it has written for this unit's actor."""
    unit, name = current_unit(), get_settings().token_header
    text = headers.get(name) if name else None
    if unit is not None and text is not None:
        unit.trail.adopt(decode(text, time.time()))
