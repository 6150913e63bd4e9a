"""A captured statement: what was sent to the server, byte for byte, so that it can be sent again."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from rollout.sealing import seal, unseal


@dataclass(frozen=True, slots=True)
class CapturedStatement:
    """What libpq was given, types of parameters included.

    query: the statement as it was sent, with $1 and so on where the driver leaves parameters to the server.
    parameters: their values as they were sent, None for NULL. types: their type's OID, 0 where the server chooses.
    formats: 0 for text, 1 for binary. session: the session's settings that say how values are read and shown, by name.
    """

    query: bytes
    parameters: tuple[bytes | None, ...] = ()
    types: tuple[int, ...] = ()
    formats: tuple[int, ...] = ()
    session: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes, parameters included."""
        return len(self.query) + sum(len(value) for value in self.parameters if value is not None)

    def sealed(self) -> bytes:
        """Return it in a form that only this project can read, for storage."""
        content = {
            "query": _text(self.query),
            "parameters": [None if value is None else _text(value) for value in self.parameters],
            "types": self.types,
            "formats": self.formats,
            "session": dict(self.session),
        }
        return seal(json.dumps(content, separators=(",", ":")).encode())


def open_statement(sealed: bytes) -> CapturedStatement:
    """Return what `CapturedStatement.sealed` was made from. Raises `rollout.sealing.SealError`."""
    content = json.loads(unseal(sealed))
    return CapturedStatement(
        query=_bytes(content["query"]),
        parameters=tuple(None if value is None else _bytes(value) for value in content["parameters"]),
        types=tuple(content["types"]),
        formats=tuple(content["formats"]),
        session=content["session"],
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
