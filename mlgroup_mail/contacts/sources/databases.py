"""A query's answer as a contact source: its columns are the header, its rows count from 2."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.cell_texts import as_text
from mlgroup_mail.contacts.sources.grids import Grid, GridBuilder, is_blank
from mlgroup_mail.contacts.sources.limits import MOST_ROWS, too_much
from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.store.outside import Answer, asked

_ENVIRONMENT = "env:"


class QuerySheet:
    """The answer to a query; it can be read once."""

    title = guess = ""
    hidden = False

    def __init__(self, answer: Answer, *, where: str) -> None:
        self._answer, self._where = answer, where

    def first_rows(self, count: int) -> list[list[str]]:  # noqa: ARG002 (the header is all there is to look at)
        """The header."""
        return [list(self._answer.columns)]

    def read(self, columns: Mapping[Field, int], header_row: int) -> Grid:
        """The columns at these positions; raises ContactSourceError where there is no row, or far too many."""
        builder = GridBuilder(columns, where=self._where)
        number = header_row
        for number, values in enumerate(self._answer.rows(), start=header_row + 1):
            if number > MOST_ROWS:
                raise too_much(f"more than {MOST_ROWS:,} rows", where=self._where)
            texts = [as_text(values[position]) for position in columns.values()]
            if not is_blank(texts) or not is_blank(map(as_text, values)):
                builder.add(number, texts)
        if number == header_row:
            raise ContactSourceError("the query finds no rows", where=self._where, mend="Check “query”.")
        return builder.grid()


@contextmanager
def opened_query(url: str, query: str, *, folder: Path, where: str) -> Iterator[Sequence[QuerySheet]]:
    """Ask a database. `url` is a SQLAlchemy URL, or `env:NAME` for one that the environment or `.env` holds.

    `folder` is that of `contacts.toml`: SQLite files are found from there. Raises ContactSourceError, which never
    shows the URL, where the database or the query is of no use.
    """
    if url.startswith(_ENVIRONMENT):
        url = _from_environment(url.removeprefix(_ENVIRONMENT), folder, where=where)
    with asked(url, query, folder=folder, where=where) as answer:
        yield [QuerySheet(answer, where=where)]


def _from_environment(name: str, folder: Path, *, where: str) -> str:
    """The environment's, then a file that NAME_FILE names, then the project's `.env`: as for the settings."""
    from dotenv import dotenv_values

    if found := os.environ.get(name):
        return found
    try:
        if file := os.environ.get(f"{name}_FILE"):
            return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ContactSourceError(f"the file that {name}_FILE names cannot be read", where=where) from None
    if found := dotenv_values(folder.parent / ".env").get(name):
        return found
    raise ContactSourceError(
        f"the environment variable {name} is not set",
        where=where,
        mend=f"Set it, or write it into .env: {name}=postgresql://user:password@host/name",
    )
