"""Updates of many rows by their ids: rows that become alike are written by one statement, the others one by one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, update

from mlgroup_mail.store.transactions import chunked

_MANY = 10
"""From so many rows on that become alike they are written together: one more statement costs as much as a few rows.

What mail servers answer often holds a number of their own, and then no two rows are alike.
"""

_AT_ONCE = 1000
"""How many rows one statement names."""


class RowUpdate:
    """An update of rows by their `id`. Made once for all its uses: to make one costs more than to run it."""

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        where: Sequence[ColumnElement[bool]] = (),
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        """`columns` get what each row is given, `fixed` the same in every row; `where` says which rows may be met."""
        self._columns = columns
        self._given = itemgetter(*columns)
        given: dict[str, Any] = {name: bindparam(f"b_{name}") for name in columns}
        statement = update(table).where(*where).values({**(fixed or {}), **given})
        self._one = statement.where(table.c.id == bindparam("b_id"))
        self._alike = statement.where(table.c.id.in_(bindparam("b_ids", expanding=True)))

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Write rows, each with its `id`, which is there once, and the columns; returns how many were met.

        In no certain order: who needs one has locked them before.
        """
        groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[self._given(row)].append(row)
        met, single = 0, []
        for group in groups.values():
            if len(group) < _MANY:
                single += group
                continue
            for some in chunked(group, _AT_ONCE):
                ids = [row["id"] for row in some]
                met += connection.execute(self._alike, self._parameters(some[0]) | {"b_ids": ids}).rowcount
        if single:
            each = [self._parameters(row) | {"b_id": row["id"]} for row in single]
            met += connection.execute(self._one, each).rowcount
        return met

    def _parameters(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {f"b_{name}": row[name] for name in self._columns}
