"""Where each key of a TOML text stands: the standard reader gives values, and no places."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""Keys and, in lists, indexes: `("mailing", 0, "send_at")`."""


def line_of(text: str, path: KeyPath) -> int:
    """The line, from 1, on which the statement with a key begins; that of the table around it where there is none.

    `text` is valid TOML. A key that nothing sets, in no table either, stands on line 1.
    """
    lines = _lines(text)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


@functools.lru_cache(maxsize=32)
def _lines(text: str) -> Mapping[KeyPath, int]:
    lines: dict[KeyPath, int] = {}
    tables: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for line, statement in _statements(text):
        data = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _table(data, tables)
            lines.setdefault(table, line)
            if table and isinstance(table[-1], int):
                lines.setdefault(table[:-1], line)
        else:
            for path in _paths(data):
                lines.setdefault(table + path, line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with its first line: as many lines as it takes until they can be read by themselves."""
    pending: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        pending.append(line)
        statement = "\n".join(pending)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if statement.strip():
            yield number - len(pending) + 1, statement
        pending = []


def _table(data: Mapping[str, Any], tables: dict[KeyPath, int]) -> KeyPath:
    """The table that a head opens, an index for each list on its way; `tables` counts how many a list has so far."""
    path: KeyPath = ()
    inner: Any = data
    while inner:
        ((key, inner),) = inner.items()
        path = (*path, key)
        if isinstance(inner, list):
            tables[path] = tables.get(path, -1) + 1
            inner = inner[0]
        if path in tables:
            path = (*path, tables[path])
    return path


def _paths(value: Any) -> Iterator[KeyPath]:
    if isinstance(value, Mapping):
        entries: Iterator[tuple[str | int, Any]] = iter(value.items())
    elif isinstance(value, list):
        entries = enumerate(value)
    else:
        return
    for key, inner in entries:
        yield (key,)
        yield from ((key, *path) for path in _paths(inner))
