"""Updates of many rows by their ids: rows that become alike are written by one statement, all others by one more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Update, bindparam, update

from mlgroup_mail.store.lists import among, as_list, as_rows, given_rows

_MANY = 10
"""From so many rows on that become alike they are written together: one more statement costs as much as a few rows.

What mail servers answer often holds a number of their own, and then no two rows are alike.
"""


class RowUpdate:
    """An update of rows by their `id`. Made once for all its uses: to make one costs more than to run it."""

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        common: Sequence[str] = (),
        where: Sequence[ColumnElement[bool]] = (),
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        """`columns` get what each row is given, `common` what is given for all of them, `fixed` always the same.

        `where` says which rows may be met.
        """
        self._columns = columns
        self._given = itemgetter(*columns)
        self._row = [table.c.id, *(table.c[name] for name in columns)]
        shared: dict[str, Any] = {**(fixed or {}), **{name: bindparam(f"b_{name}") for name in common}}
        statement = update(table).where(*where).values(shared)
        alike: dict[str, Any] = {name: bindparam(f"b_{name}") for name in columns}
        self._alike = statement.where(among(table.c.id, "b_ids")).values(alike)
        self._each = {dialect: self._of_rows(table, statement, dialect) for dialect in ("sqlite", "postgresql")}

    def run(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], common: Mapping[str, Any] | None = None
    ) -> int:
        """Write rows, each with its `id`, which is there once, and the columns; returns how many were met.

        In no certain order: who needs one has locked them before.
        """
        groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[self._given(row)].append(row)
        shared = {f"b_{name}": value for name, value in (common or {}).items()}
        met, single = 0, []
        for group in groups.values():
            if len(group) < _MANY:
                single += group
                continue
            values = {f"b_{name}": group[0][name] for name in self._columns}
            ids = as_list(row["id"] for row in group)
            met += connection.execute(self._alike, shared | values | {"b_ids": ids}).rowcount
        if single:
            given = as_rows(self._row, single, connection.dialect)
            met += connection.execute(self._each[connection.dialect.name], shared | {"b_rows": given}).rowcount
        return met

    def _of_rows(self, table: Table, statement: Update, dialect: str) -> Update:
        given = given_rows(self._row, "b_rows", dialect=dialect)
        return statement.where(table.c.id == given.pop("id")).values(given)
