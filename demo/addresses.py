"""Where the demo's servers listen: written by whoever starts them, read by every process of the demo."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

VARIABLE = "READSHIFT_DEMO_ADDRESSES"
DEFAULT_FILE = Path(__file__).resolve().parent.parent / ".demo" / "addresses.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Ports on 127.0.0.1. `broker` is Celery's URL; `cache` is Django's, or empty where files are shared."""

    database: str = "readshift_demo"
    primary: int = 5432
    replicas: tuple[int, ...] = (5433, 5434)
    broker: str = "memory://"
    cache: str = ""

    @classmethod
    def load(cls) -> Self:
        """Return what the running demo wrote, or the defaults when none runs here."""
        try:
            values = json.loads(cls.file().read_text())
        except FileNotFoundError:
            return cls()
        return cls(**{**values, "replicas": tuple(values["replicas"])})

    def save(self) -> None:
        file = self.file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)))

    @staticmethod
    def file() -> Path:
        """Return the file, which `READSHIFT_DEMO_ADDRESSES` can move."""
        return Path(os.environ.get(VARIABLE) or DEFAULT_FILE)
