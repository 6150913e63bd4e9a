"""The manual as text: its pages, and what they name."""

import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PAGES = (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md")))
NAMES = [str(page.relative_to(CHECKOUT)) for page in PAGES]
SOURCES = [
    file
    for package in ("rollout", "routers", "tasks", "admin_ui", "demo", "benchmarks")
    for file in sorted((CHECKOUT / package).rglob("*.*"))
    if file.suffix in {".py", ".html"}
]


def blocks(text: str, language: str) -> list[str]:
    """Return what is fenced as of this language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def prose(text: str) -> str:
    """Return the page without what is fenced."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def spans(text: str) -> list[str]:
    """Return what is set in a fixed width within the running text, each on one line."""
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text))]


def lines_to_type(text: str) -> Iterator[str]:
    """Return the lines that somebody is told to type, fenced or indented, without comments and redirections."""
    fenced = "".join(blocks(text, "console") + blocks(text, "bash"))
    indented = re.findall(r"^    (python manage\.py .*)$", prose(text), re.MULTILINE)
    for line in [*fenced.splitlines(), *indented]:
        yield re.split(r"\s+(?:#|>)\s", line.strip())[0]


def anchors(text: str) -> set[str]:
    """Return the names of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def joined(source: str) -> str:
    """Return source in which a text that is written over several lines is one."""
    return re.sub(r'"\s*\n\s*f?"', "", source)
