"""The cleaned people: columns of values from which a contact is made when somebody looks at it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np

from mlgroup_mail.contacts.cleaning.distinct import Positions
from mlgroup_mail.contacts.cleaning.rows import Rows
from mlgroup_mail.model import Contact


class People(Sequence[Contact]):
    """The contacts of all tables, in the order of their first rows; a million of them fit into memory.

    Most rows are a person's only one, and their contact is made anew each time it is asked for.
    """

    def __init__(
        self,
        tables: Sequence[Rows],
        alone: Sequence[Positions],
        merged: Mapping[tuple[int, int], Contact],
    ) -> None:
        """`alone` are the rows of each table that are a person's only one, `merged` the people of several rows."""
        self._tables = [table.filled() for table in tables]
        self._merged = merged
        firsts = [[row for table, row in merged if table == number] for number in range(len(tables))]
        self._rows = [
            np.sort(np.concatenate([rows, np.array(first, dtype=np.int64)]))
            for rows, first in zip(alone, firsts, strict=True)
        ]

    def __len__(self) -> int:
        return sum(map(len, self._rows))

    def __iter__(self) -> Iterator[Contact]:
        for number, (table, rows) in enumerate(zip(self._tables, self._rows, strict=True)):
            for row, contact in zip(rows.tolist(), table.contacts(rows), strict=True):
                several = self._merged.get((number, row)) if self._merged else None
                yield several or contact

    @overload
    def __getitem__(self, index: int) -> Contact: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Contact]: ...
    def __getitem__(self, index: int | slice) -> Contact | Sequence[Contact]:
        if isinstance(index, slice):
            return [self[each] for each in range(len(self))[index]]
        left = range(len(self))[index]
        for number, (table, rows) in enumerate(zip(self._tables, self._rows, strict=True)):
            if left < len(rows):
                several = self._merged.get((number, int(rows[left])))
                return several or next(table.contacts(rows[left : left + 1]))
            left -= len(rows)
        raise IndexError(index)
