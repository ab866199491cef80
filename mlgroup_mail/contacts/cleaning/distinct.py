"""Reading a column by its distinct cells: a list of a million people has few countries, and each is read once.

The rules are the readers'; nothing here decides anything else. A pattern may prove that a reader leaves a cell as it
is, so that a column of a million different names does not cost a million calls; a test holds the two together.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlgroup_mail.contacts.words.readings import Reader, Reading, Value

Texts: TypeAlias = "pd.Series[str]"
Positions: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
"""How columns of texts are held: a million of them cost little more than their letters."""


class Distinct:
    """A column as its distinct values, texts or tuples of texts: row i holds `values[codes[i]]`."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: NDArray[Any], values: Sequence[Value]) -> None:
        self.codes = codes.astype(np.int32)
        several = any(isinstance(value, tuple) for value in values[:1])
        self.values: Any = list(values) if several else pd.array(list(values), dtype=TEXT)

    @classmethod
    def of(cls, texts: Texts) -> "Distinct":
        """Any column of texts."""
        codes, values = pd.factorize(texts)
        return cls(codes, values.tolist())

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> Texts:
        """The column written out; of texts only."""
        return pd.Series(self.values.take(self.codes))

    def where(self, holds: Callable[[Any], bool]) -> Mask:
        """For each row, whether its value is one for which this holds."""
        return np.fromiter(map(holds, list(self.values)), dtype=bool, count=len(self.values))[self.codes]

    def replaced(self, old: Value, new: Value) -> "Distinct":
        """The column with one value in another's place."""
        return Distinct(self.codes, [new if value == old else value for value in self.values])

    def take(self, rows: Positions) -> list[Any]:
        """The values of some rows."""
        codes = self.codes[rows]
        if isinstance(self.values, list):
            return [self.values[code] for code in codes.tolist()]
        return self.values.take(codes).tolist()  # type: ignore[no-any-return]


def read_distinct(
    cells: Texts, reader: Reader, *, usual: str = "", several: bool = False
) -> tuple[Distinct, list[tuple[int, Reading]]]:
    """Read a column; also the rows of which something was dropped, in their order, with the reading that says what.

    The reader leaves cells that match `usual` (of RE2's syntax) as they are. `several`: its values are tuples.
    """
    codes, distinct = pd.factorize(cells)
    values: list[Value] = distinct.tolist()
    unread = ~distinct.str.fullmatch(usual) if usual else np.ones(len(values), dtype=bool)
    readings: dict[int, Reading] = {}
    for place in np.flatnonzero(unread).tolist():
        cell = str(values[place])
        reading = reader(cell) if cell else Reading("")
        values[place] = tuple(reading.value) if several else reading.value
        if reading.reason:
            readings[place] = reading
    dropped = np.flatnonzero(np.isin(codes, list(readings))) if readings else ()
    return Distinct(codes, values), [(int(row), readings[codes[row]]) for row in dropped]
