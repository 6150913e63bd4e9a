"""What keeps a file that somebody opens in a spreadsheet harmless."""

from hypothesis import given
from hypothesis import strategies as st

from admin_ui.downloads import safe_cell


@given(st.text())
def test_no_cell_begins_a_formula_and_none_loses_text(value: str) -> None:
    cell = str(safe_cell(value))
    assert cell.removeprefix("'") == value or cell == value
    assert not cell.strip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_numbers_and_other_texts_stay_as_they_are() -> None:
    assert [safe_cell(value) for value in (-1.5, None, "a=b", "")] == [-1.5, None, "a=b", ""]
