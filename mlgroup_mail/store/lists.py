"""A list of values, or of rows, as one parameter of a statement, however long it is.

SQLAlchemy writes an `IN` out anew for each list, with a mark for each of its values, and the database parses it anew:
for 500 values that takes longer than to look them up. Rows of which each is a statement's run of its own cost as much
again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    String,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Among(FunctionElement[bool]):
    """Whether a column's value stands in a JSON array.

    Of no type: where it were a boolean, SQLAlchemy would compare it with 1 on SQLite, which then finds no index for it.
    """

    inherit_cache = True


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Whether `column`, a number or a text, is one of a list, which is given as `as_list` makes it."""
    return _Among(column, bindparam(parameter, type_=String))


def as_list(values: Iterable[int] | Iterable[str]) -> str:
    """A list as `among` takes it."""
    return orjson.dumps(list(values)).decode()


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  -- clauses, not values


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = element.clauses
    kind = "bigint" if isinstance(column.type, BigInteger) else "text"
    each = f"json_array_elements_text(CAST({compiler.process(values, **kw)} AS json))"
    # An array, and not the rows: of these PostgreSQL guesses a hundred, and may read the whole table for them.
    return f"{compiler.process(column, **kw)} = ANY (ARRAY(SELECT value::{kind} FROM {each}))"  # noqa: S608  -- as above


def given_rows(columns: Sequence[Column[Any]], parameter: str, *, dialect: str) -> dict[str, ColumnElement[Any]]:
    """Rows that a statement takes from one parameter, given as `as_rows` makes it: their values, by column name."""
    rows = bindparam(parameter, type_=String)
    if dialect == "sqlite":
        row = func.json_each(rows).table_valued("value", name="given").c.value
        return {
            each.name: type_coerce(func.json_extract(row, literal_column(f"'$.{each.name}'")), each.type)
            for each in columns
        }
    typed = [column(each.name, each.type) for each in columns]
    given = func.json_to_recordset(cast(rows, JSON)).table_valued(*typed)
    return dict(given.render_derived(name="given", with_types=True).c.items())


def as_rows(columns: Sequence[Column[Any]], rows: Iterable[Mapping[str, Any]], dialect: Dialect) -> str:
    """Rows as `given_rows` takes them; each has a value for every one of the columns."""
    stored = [(str(each.name), each.type.dialect_impl(dialect).bind_processor(dialect)) for each in columns]
    values = [{name: store(row[name]) if store else row[name] for name, store in stored} for row in rows]
    return orjson.dumps(values).decode()
