"""Tables as text."""

from hypothesis import given
from hypothesis import strategies as st

from admin_ui.commands.tables import LEAST_ROOM, columns, named_values

CELLS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40)


def test_names_and_values_stand_in_two_columns_and_what_has_no_value_is_left_out() -> None:
    rows = [("rule", "endpoint names"), ("  note", ""), ("  flag", "products")]
    assert list(named_values(rows, None)) == ["rule    endpoint names", "  flag  products"]


def test_lists_have_headings_and_figures_end_at_the_right() -> None:
    assert list(columns(("database", "reads", "why"), [("default", "7", "a\nb"), ("replica1", "1,234", "")], None)) == [
        "  database  reads  why",
        "  default       7  a b",
        "  replica1  1,234",
    ]


def test_an_empty_list_is_nothing() -> None:
    assert list(columns(("a", "b"), [], 80)) == []


def test_the_last_column_goes_on_below_itself_where_the_terminal_ends() -> None:
    assert list(columns(("n", "why"), [("a", "one two three four five six seven")], 30)) == [
        "  n  why",
        "  a  one two three four five",
        "     six seven",
    ]
    assert list(named_values([("why", "one two three four five six seven")], 30)) == [
        "why  one two three four five",
        "     six seven",
    ]


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.integers(10, 120))
def test_no_word_is_lost_at_any_width(rows: list[tuple[str, str]], width: int) -> None:
    lines = list(columns(("a", "b"), rows, width))
    assert sorted(" ".join(lines).split()) == sorted(" ".join(["a", "b", *map(" ".join, rows)]).split())


@given(
    st.lists(st.tuples(st.just("name"), st.lists(st.text("xyz", min_size=1, max_size=9), max_size=20).map(" ".join)))
)
def test_no_line_is_longer_than_the_terminal(rows: list[tuple[str, str]]) -> None:
    width = len("  name  ") + LEAST_ROOM
    assert all(len(line) <= width for line in columns(("head", "b"), rows, width))
