"""The documentation as data: its pages, blocks, links and generated parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    # What `init` writes into a new project.
    *sorted((ROOT / "mlgroup_mail" / "scaffold" / "files").rglob("README.md")),
)

_FENCE = re.compile(r"^(?P<mark>```|~~~)(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=mark)$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"<!-- file: (?P<name>\S+) -->\n\Z")
_HEADING = re.compile(r"^(?P<marks>#+) (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the file that the comment before it says it is."""

    language: str
    text: str
    file: str


def blocks(markdown: str) -> Iterator[Block]:
    """Every fenced block, in order."""
    for found in _FENCE.finditer(markdown):
        file = _FILE.search(markdown[: found.start()])
        yield Block(language=found["language"], text=found["text"], file=file["name"] if file else "")


def prose(markdown: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", markdown)


def section(markdown: str, title: str) -> str:
    """What stands under a heading of the second level, up to the next of the same."""
    (found,) = [part for part in re.split(r"^## ", markdown, flags=re.MULTILINE) if part.startswith(f"{title}\n")]
    return found


def anchors(markdown: str) -> set[str]:
    """The names by which GitHub lets a link reach the headings of a page."""
    titles = (found["title"] for found in _HEADING.finditer(prose(markdown)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def generated(markdown: str, name: str) -> str:
    """What stands between the marks of a generated part."""
    begin, end = marks(name)
    return markdown.partition(begin)[2].partition(end)[0]


def marks(name: str) -> tuple[str, str]:
    """The lines around a generated part."""
    return f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->\n"
