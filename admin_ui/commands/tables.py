"""Tables as text, for terminals of any width and for files. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

GAP = "  "
LEAST_ROOM = 24
"""The last column never gets less, however narrow the terminal: its lines may then run over."""


def named_values(rows: Iterable[tuple[str, str]], width: int | None) -> Iterator[str]:
    """Return the lines of names and their values, leaving out what has no value. Spaces before a name are kept.

    width: of the terminal, or None where lines may be of any length.
    """
    shown = [(name, value) for name, value in rows if value]
    room = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        yield from _lines([f"{name:<{room}}"], value, width)


def columns(heads: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> Iterator[str]:
    """Return the lines of a table, or none for a table without rows. The last column takes the room that is left.

    Columns of figures end at the right, and white space within a cell becomes one space each.
    """
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    if not cells:
        return
    rooms = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    figures = [all(map(_is_figure, column)) for column in zip(*cells, strict=True)]
    for row in (list(heads), *cells):
        *firsts, last = (
            f"{cell:>{room}}" if is_figure else f"{cell:<{room}}"
            for cell, room, is_figure in zip(row, rooms, figures, strict=True)
        )
        yield from _lines(firsts, last.rstrip(), width, GAP)


def _is_figure(cell: str) -> bool:
    return cell[:1].isdigit() and not any(map(str.isalpha, cell))


def _lines(firsts: Sequence[str], last: str, width: int | None, indent: str = "") -> Iterator[str]:
    """Return one row, its last cell on as many lines as it takes."""
    head = indent + "".join(first + GAP for first in firsts)
    parts = [last]
    if width is not None and "\n" not in last and len(head) + len(last) > width:
        room = max(width - len(head), LEAST_ROOM)
        parts = wrap(last, room, break_long_words=False, break_on_hyphens=False) or [""]
    for number, part in enumerate(parts):
        yield ((" " * len(head) if number else head) + part).rstrip()
