"""PNG files made smaller."""

from io import BytesIO

from PIL import Image

from demo.png import compress


def test_a_page_keeps_its_colours_and_its_file_gets_smaller() -> None:
    page = Image.new("RGB", (400, 300), "#ffffff")
    page.paste("#ba2121", (20, 20, 120, 60))
    page.paste("#2f7fb8", (150, 100, 380, 280))
    hasty = BytesIO()
    page.save(hasty, "PNG", compress_level=0)
    small = compress(hasty.getvalue())
    assert len(small) < len(hasty.getvalue()) / 50
    with Image.open(BytesIO(small)) as found:
        assert found.size == page.size
        assert found.convert("RGB").tobytes() == page.tobytes()
