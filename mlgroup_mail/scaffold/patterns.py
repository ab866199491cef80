"""The files that a project or a campaign is made from: text with `$name` where something is filled in."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

_FILES = Path(__file__).parent / "files"


def filled(name: str, values: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Every file of one pattern: its path below the folder, and its text. A value that is missing is a KeyError."""
    folder = _FILES / name
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder), Template(path.read_text(encoding="utf-8")).substitute(values)
