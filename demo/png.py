"""Makes PNG files smaller than the browser does, which is in a hurry, without changing the picture."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONGEST_SEARCH = 9


def compress(png: bytes) -> bytes:
    """Return the same picture with its pixels compressed anew (PNG 1.2, chapters 3 and 10)."""
    chunks = list(_chunks(png))
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")), LONGEST_SEARCH)
    kept = [(kind, data) for kind, data in chunks if kind not in {b"IDAT", b"IEND"}]
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in [*kept, (b"IDAT", pixels), (b"IEND", b"")])


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        yield kind, png[place + 8 : place + 8 + length]
        place += length + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
