"""A million rows are read column by column; what comes out is what the rules say of each single cell."""

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.address_column import read_addresses
from mlgroup_mail.contacts.cleaning.distinct import TEXT, read_distinct
from mlgroup_mail.contacts.cleaning.row_reading import CAPITALISED, LISTS, USUAL_CELLS
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.names import greeting_name
from mlgroup_mail.contacts.words.readings import ANY_WORDS, Reading, make_readers
from mlgroup_mail.contacts.words.texts import unguarded
from tests.contacts.cells.addresses import ADDRESS_CELLS
from tests.contacts.cells.people import CELLS

READERS = make_readers(ANY_WORDS)


def column(cells: Sequence[str]) -> "pd.Series[str]":
    return pd.Series(list(cells), dtype=TEXT)


def read_by_column(field: Field, cells: Sequence[str]) -> list[Reading]:
    """Each cell's reading, as the whole column is read."""
    found, dropped = read_distinct(
        column(cells), READERS[field], usual=USUAL_CELLS.get(field, ""), several=field in LISTS
    )
    reasons = dict(dropped)
    values = [found.values[code] for code in found.codes.tolist()]
    return [
        Reading(value, reasons[row].reason, reasons[row].dropped) if row in reasons else Reading(value)
        for row, value in enumerate(values)
    ]


def read_by_cell(field: Field, cells: Sequence[str]) -> list[Reading]:
    readings = [READERS[field](cell) if cell else Reading("") for cell in cells]
    return [Reading(tuple(each.value), each.reason, each.dropped) if field in LISTS else each for each in readings]


@pytest.mark.parametrize("field", [field for field in Field if field is not Field.EMAIL])
def test_the_table_of_cells_reads_alike_by_column_and_by_cell(field: Field) -> None:
    cells = [each.cell for each in CELLS if each.field == field] * 2
    assert read_by_column(field, cells) == read_by_cell(field, cells)


@pytest.mark.parametrize("field", USUAL_CELLS)
@given(data=st.data())
def test_what_a_pattern_calls_usual_its_reader_leaves_as_it_is(field: Field, data: st.DataObject) -> None:
    cell = data.draw(st.from_regex(USUAL_CELLS[field], fullmatch=True))
    assert READERS[field](cell) == Reading(cell)


@given(st.from_regex(CAPITALISED, fullmatch=True))
def test_nothing_in_a_capitalised_name_tells_which_word_is_the_first_name(name: str) -> None:
    assert greeting_name(name) == name


@pytest.mark.parametrize("field", [Field.NAME, Field.ORGANISATION, Field.ID, Field.COUNTRY, Field.STATUS, Field.TOPICS])
@given(
    st.lists(
        st.one_of(st.text(max_size=12), st.sampled_from(["=1+1", "'=x", "Ana  B", "\u00adx", "a\nBcc: x"])), max_size=8
    )
)
def test_whatever_stands_in_a_column_reads_alike(field: Field, cells: list[str]) -> None:
    cells = [cell.replace("\0", "") for cell in cells]
    assert read_by_column(field, cells) == read_by_cell(field, cells)


def addresses_by_cell(cells: Sequence[str]) -> list[tuple[str, tuple[str, ...], tuple[str, ...], str]]:
    found = []
    for cell in cells:
        try:
            reading = addresses.read_cell(unguarded(cell))
        except addresses.AddressError as error:
            found.append(("", (), (), str(error)))
        else:
            found.append((reading.address, reading.further, reading.remarks, ""))
    return found


def addresses_by_column(cells: Sequence[str]) -> list[tuple[str, tuple[str, ...], tuple[str, ...], str]]:
    read = read_addresses(column(cells))
    wrong = {row: reason for row, reason, _ in read.wrong}
    return [
        (
            "" if row in wrong else address,
            read.further.get(row, ()),
            tuple(remark for at, remark, _ in read.remarks if at == row),
            wrong.get(row, ""),
        )
        for row, address in enumerate(read.address.tolist())
    ]


def test_the_table_of_addresses_reads_alike_by_column_and_by_cell() -> None:
    cells = [each.cell for each in ADDRESS_CELLS] * 2
    assert addresses_by_column(cells) == addresses_by_cell(cells)


_PARTS = st.sampled_from(["info", "anna", "ANNA", "a.b", "'x", "=x", "+x", "ünï", "x" * 60, "x" * 70])
_HOSTS = st.sampled_from(
    ["example.org", "EXAMPLE.org", "bücher.example", "xn--bcher-kva.example", "nodot", "a..b", "-a.example"]
)


@given(st.lists(st.one_of(st.text(max_size=12), st.builds("{}@{}".format, _PARTS, _HOSTS)), max_size=8))
def test_whatever_stands_in_a_column_of_addresses_reads_alike(cells: list[str]) -> None:
    cells = [cell.replace("\0", "") for cell in cells]
    assert addresses_by_column(cells) == addresses_by_cell(cells)


@given(st.lists(st.builds("{}@{}".format, _PARTS, _HOSTS), max_size=8))
def test_mailboxes_are_told_apart_as_their_keys_are(cells: list[str]) -> None:
    read = read_addresses(column(cells))
    assert read.key.tolist() == [addresses.key(address) for address in read.address.tolist()]
