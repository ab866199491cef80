"""What stands between the cells of a text file."""

import csv
import io
import re
from collections.abc import Mapping

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.columns import recognised

_DELIMITERS = ",;\t|"
_LOOKED_AT = 20
_STATED = re.compile(r'"?sep=(.)"?[\r\n]', re.IGNORECASE)


def stated_delimiter(text: str) -> str | None:
    """What Excel's own first line "sep=;" says; that line is no row of the sheet."""
    stated = _STATED.match(text)
    return stated[1] if stated else None


def likely_delimiter(text: str, mapping: Mapping[Field, str]) -> str:
    """The delimiter under which the first rows name the most columns that we know, then the one that cuts most."""

    def fitness(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            first = [row for _, row in zip(range(_LOOKED_AT), rows, strict=False)]
        except csv.Error:
            return (0, 0)
        return max(((len(recognised(row, mapping)), len(row)) for row in first), default=(0, 0))

    return max(_DELIMITERS, key=fitness)
