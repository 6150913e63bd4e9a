"""Makes PNG files as small as pictures of pages can be: with a palette, in which they have few colours."""

from io import BytesIO

from PIL import Image

MOST_COLOURS = 256


def compress(png: bytes) -> bytes:
    """Return the same picture, with so many colours at most."""
    with Image.open(BytesIO(png)) as picture:
        # Without dither: it would strew dots over plain areas, and they are most of a page.
        small = picture.convert("RGB").quantize(MOST_COLOURS, dither=Image.Dither.NONE)
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()
