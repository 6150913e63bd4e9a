"""The smallest project in which probers run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

ALIASES = ("default", "replica1", "replica2")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The servers' ports, in the order of `ALIASES`, and the URL of the cache."""

    host: str
    user: str
    ports: Sequence[int]
    cache: str

    def configure(self, options: Mapping[str, Any]) -> None:
        """Be that project in this process, with these options of READSHIFT."""
        server = {"ENGINE": "django.db.backends.postgresql", "HOST": self.host, "USER": self.user, "NAME": "postgres"}
        settings.configure(
            DATABASES={alias: {**server, "PORT": port} for alias, port in zip(ALIASES, self.ports, strict=True)},
            CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": self.cache}},
            READSHIFT={"CLUSTERS": {"default": {"REPLICAS": list(ALIASES[1:])}}, **options},
        )
