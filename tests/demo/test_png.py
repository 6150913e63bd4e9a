"""PNG files made smaller."""

import struct
import zlib

from demo.png import SIGNATURE, compress


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_the_picture_stays_the_same_and_its_file_gets_smaller() -> None:
    rows = b"".join(b"\0" + bytes([number]) * 3 * 200 for number in range(200))
    hasty = zlib.compress(rows, 0)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 200, 200, 8, 2, 0, 0, 0))
    parts = chunk(b"IDAT", hasty[:5_000]) + chunk(b"IDAT", hasty[5_000:])
    small = compress(SIGNATURE + header + parts + chunk(b"IEND", b""))
    assert small.startswith(SIGNATURE + header)
    assert small.endswith(chunk(b"IEND", b""))
    pixels = small[len(SIGNATURE + header) : -len(chunk(b"IEND", b""))]
    assert pixels == chunk(b"IDAT", pixels[8:-4])
    assert zlib.decompress(pixels[8:-4]) == rows
    assert len(small) < len(hasty) / 50
