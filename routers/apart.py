"""Connections of our own: apart from those that the host's code uses, and from any pool."""

from copy import deepcopy

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def connection_apart(alias: str, **options: object) -> BaseDatabaseWrapper:
    """Return a connection to an alias, set up as the host's own are and not made yet, that stays until it is closed.

    options: for the driver, where the host has not set them. Limits on the client's side belong there, such as
    `connect_timeout`, since poolers refuse parameters of the server's at startup.
    """
    settings = deepcopy(connections[alias].settings_dict)
    settings["OPTIONS"].pop("pool", None)
    settings["OPTIONS"] = {**options, **settings["OPTIONS"]}
    settings |= {"CONN_MAX_AGE": None, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True}
    return type(connections[alias])(settings, alias=alias)
