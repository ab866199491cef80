"""The words that people use, as data: `lists/*.toml` beside this module."""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "lists"


@cache
def wordlist(name: str) -> dict[str, Any]:
    """The tables of one file."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def unmistakable(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Codes by name, from pairs of both, without the names that mean more than one."""
    meanings: dict[str, set[str]] = {}
    for name, code in named:
        meanings.setdefault(name, set()).add(code)
    return {name: codes.pop() for name, codes in meanings.items() if len(codes) == 1}
