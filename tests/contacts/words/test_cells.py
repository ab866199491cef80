"""The table of cells: each is read as it says, and it speaks for many languages and scripts."""

import pytest
import regex

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.names import greeting_name
from mlgroup_mail.contacts.words.readings import make_readers
from mlgroup_mail.contacts.words.statuses import opts_out
from tests.contacts.cells.cell import WORDS, Cell
from tests.contacts.cells.people import CELLS

READERS = make_readers(WORDS)

SCRIPTS = """
    Latin Greek Cyrillic Armenian Georgian Hebrew Arabic Devanagari Bengali Gurmukhi Tamil Thai Khmer Myanmar Ethiopic
    Han Hiragana Katakana Hangul
"""


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.field}: {cell.cell[:30]!r}")
def test_a_cell_is_read_as_the_table_says(cell: Cell) -> None:
    reading = READERS[cell.field](cell.cell)
    assert (reading.value, bool(reading.reason)) == (cell.value, bool(cell.reason)), reading.reason
    assert cell.reason in reading.reason
    if cell.dropped is not None:
        assert reading.dropped == cell.dropped
    elif cell.reason and not cell.value:
        assert reading.dropped == cell.cell
    if cell.first_name is not None:
        assert greeting_name(str(reading.value)) == cell.first_name
    if cell.field in {Field.STATUS, Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE}:
        assert opts_out(str(reading.value)) == cell.opts_out


def test_the_table_speaks_for_many_languages_and_scripts() -> None:
    assert len({(cell.field, cell.cell) for cell in CELLS}) > 300
    text = "".join(cell.cell for cell in CELLS)
    missing = [script for script in SCRIPTS.split() if not regex.search(rf"\p{{Script={script}}}", text)]
    assert not missing


def test_no_cell_stands_in_the_table_twice() -> None:
    seen = [(cell.field, cell.cell) for cell in CELLS]
    assert [each for each in seen if seen.count(each) > 1] == []
