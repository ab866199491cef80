"""From a table's cells to what its rows say. Rows without a usable
address are rejected, and those with more cells than the header."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.address_column import ReadAddresses, read_addresses
from mlgroup_mail.contacts.cleaning.distinct import TEXT, Distinct, Positions, Texts, read_distinct
from mlgroup_mail.contacts.cleaning.notes import RowNote, masked, shown
from mlgroup_mail.contacts.cleaning.rows import Rows
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.tables import Table
from mlgroup_mail.contacts.words.names import greeting_name, joined
from mlgroup_mail.contacts.words.readings import NOTHING, Reader, Reading, Value
from mlgroup_mail.contacts.words.statuses import NO_MAIL, opts_out

LISTS = (Field.TOPICS, Field.THEMES, Field.ALIASES)
"""The fields that hold several values."""

# Composed letters, which normalisation leaves alone, without those that a wrong encoding makes of others.
_CAPITAL, _SMALL = "A-ZÀÁÄÅÆÇÈÉÊËÍÎÓÔÖØÚÜČĆĐĘĚĞİŁŃŇŐŘŚŞŤŮŰŹŻА-Я", "a-zß-öø-ýāăąćčďęěğģīķłĺľńņňőŕřśşťūůűźżа-я"
_LETTER = _CAPITAL + _SMALL
_WORD = rf"[{_LETTER}]{{1,30}}"
# Four letters at least, or a second word: "tba" says nothing.
_WORDS = rf"[{_LETTER}]{{4,30}}|{_WORD}(?:[ '’-]{_WORD}){{1,5}}"
USUAL_CELLS = {
    Field.NAME: _WORDS,
    Field.FIRST_NAME: _WORDS,
    Field.FAMILY_NAME: _WORDS,
    Field.ORGANISATION: rf"{_WORDS}|[{_LETTER}]{{4,30}}(?: [{_LETTER}0-9]{{1,30}}){{0,9}}",
    Field.ID: r"[A-Za-z]{0,3}[0-9]{1,20}",
}
"""Patterns of cells that their readers leave as they are."""

CAPITALISED = rf"[{_CAPITAL}][{_SMALL}]{{1,30}}(?:[ -][{_CAPITAL}][{_SMALL}]{{1,30}}){{0,5}}"
"""Full names in which nothing tells which word is the first name."""

_STATING = (Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE)
"""Columns beside the status that can say that somebody wants no mail."""

_OVERFULL_OPT_OUT = "more cells than the header has; it says that the person wants no mail, and that counts"
_OVERFULL = "more cells than the header has: values may stand in the wrong columns"


def read_rows(
    table: Table,
    readers: Mapping[Field, Reader],
    defaults: Mapping[Field, Value],
    *,
    advance: Callable[[int], None],
) -> Rows:
    """Read every cell of a table, column by column; `advance` is told how many cells more have been read."""
    notes = _Notes(table)
    found = read_addresses(table.frame[Field.EMAIL])
    usable = np.ones(len(table.frame), dtype=bool)
    usable[[row for row, _, _ in found.wrong]] = False
    stating: dict[int, str] = {}
    for row in np.flatnonzero(table.frame.index.isin(table.overfull)).tolist():
        if usable[row] and (word := next(filter(opts_out, table.frame.iloc[row]), "")):
            # Whatever else is in the wrong column: an opt-out must not be lost.
            stating[row] = word
            notes.keep([(row, _OVERFULL_OPT_OUT, word)], None)
        else:
            usable[row] = False
            notes.reject([(row, _OVERFULL, "")], None)
    rejected = {note.row for note in notes.rejected}
    numbers = table.frame.index
    notes.reject([each for each in found.wrong if int(numbers[each[0]]) not in rejected], Field.EMAIL)
    kept = np.flatnonzero(usable)
    for row, reason, cell in found.remarks:
        if usable[row]:
            tell = notes.drop if reason == addresses.SOME_UNREADABLE else notes.keep
            tell([(row, reason, cell)], Field.EMAIL)
    for remark in table.remarks:
        position = int(table.frame.index.searchsorted(remark.row))
        if usable[position]:
            notes.keep([(position, remark.reason, "")], remark.field)
    advance(len(table.frame))
    columns: dict[Field, Distinct] = {}
    for field in map(Field, table.frame.columns):
        if field is Field.EMAIL:
            continue
        cells, usual = table.frame[field].take(kept), USUAL_CELLS.get(field, "")
        columns[field], dropped = read_distinct(cells, readers[field], usual=usual, several=field in LISTS)
        notes.tell([(int(kept[row]), reading) for row, reading in dropped], field)
        advance(len(table.frame))
    if found.further or Field.ALIASES in columns:
        columns[Field.ALIASES] = _other_addresses(columns.get(Field.ALIASES), found, kept)
    if stating:
        columns[Field.OPTED_OUT] = Distinct.of(pd.Series([stating.get(row, "") for row in kept.tolist()], dtype=TEXT))
    columns[Field.EMAIL] = Distinct(np.arange(len(kept)), found.address.take(kept).tolist())
    values = _values(columns, source=table.source)
    return Rows(
        source=table.source,
        count=len(table.frame),
        numbers=table.frame.index.to_numpy()[kept],
        keys=found.key.take(kept),
        columns=values,
        opted_out=values[Field.STATUS].where(opts_out),
        defaults=defaults,
        labels=table.labels,
        rejected=sorted(notes.rejected, key=_in_order),
        noted=sorted(notes.noted, key=_in_order),
    )


def _values(columns: Mapping[Field, Distinct], *, source: str) -> dict[Field, Distinct]:
    """A column for each field of a contact."""
    count = len(columns[Field.EMAIL])
    empty = {field: Distinct(np.zeros(count), [() if field in LISTS else ""]) for field in Field}
    values = empty | dict(columns)
    if Field.FAMILY_NAME in columns:
        parts = zip(values[Field.FIRST_NAME].texts(), values[Field.FAMILY_NAME].texts(), strict=True)
        whole = pd.Series([joined(first, family) for first, family in parts], dtype=TEXT)
        values[Field.NAME] = _with_gaps_filled(values[Field.NAME], whole)
    values[Field.FIRST_NAME] = _first_names(values[Field.FIRST_NAME], values[Field.NAME])
    own_ids = [each and f"{source}:{each}" for each in values[Field.ID].values]
    values[Field.ID] = Distinct(values[Field.ID].codes, own_ids)
    values[Field.STATUS] = _stated_status(values)
    values[Field.TOPICS] = values[Field.TOPICS].replaced(NOTHING, ())
    return values


def _with_gaps_filled(column: Distinct, others: Texts) -> Distinct:
    texts = column.texts()
    return Distinct.of(texts.where(texts != "", others))


def _first_names(stated: Distinct, names: Distinct) -> Distinct:
    """What a greeting uses: from its own column, else what the full name shows."""
    capitalised = pd.Series(names.values).str.fullmatch(CAPITALISED)
    shown = Distinct(
        names.codes,
        [name if usual else greeting_name(name) for name, usual in zip(names.values, capitalised, strict=True)],
    )
    return _with_gaps_filled(stated, shown.texts()) if any(stated.values) else shown


def _stated_status(values: Mapping[Field, Distinct]) -> Distinct:
    """The status, or the word for an opt-out that another column states: an opt-out always wins."""
    status = values[Field.STATUS]
    stays = ~status.where(opts_out)
    nothing = values[Field.TOPICS].where(lambda topics: topics == NOTHING)
    stated = [(column.where(bool), column) for column in map(values.get, _STATING) if column]
    if not (nothing.any() or any(says.any() for says, _ in stated)):
        return status
    texts = status.texts()
    for says, column in stated:
        texts = texts.mask(stays & says, column.texts())
        stays &= ~says
    return Distinct.of(texts.mask(stays & nothing, NO_MAIL))


def _other_addresses(aliases: Distinct | None, found: ReadAddresses, kept: Positions) -> Distinct:
    """What else stood in the cells of addresses, then the aliases, without the address itself."""
    further = (found.further.get(row, ()) for row in kept.tolist())
    stated = aliases.take(np.arange(len(kept))) if aliases else [()] * len(kept)
    everything = [
        tuple(dict.fromkeys(each for each in (*more, *also) if addresses.key(each) != own))
        for own, more, also in zip(found.key.take(kept), further, stated, strict=True)
    ]
    return Distinct(np.arange(len(kept)), everything)


class _Notes:
    """What is said about the rows of a table. Rows are told by their position, cells by what they hold."""

    def __init__(self, table: Table) -> None:
        self.rejected: list[RowNote] = []
        self.noted: list[RowNote] = []
        self._source, self._labels = table.source, table.labels
        self._numbers = table.frame.index.to_numpy()

    def reject(self, notes: Iterable[tuple[int, str, str]], field: Field | None) -> None:
        self.rejected += [self._note(*note, field) for note in notes]

    def tell(self, readings: Iterable[tuple[int, Reading]], field: Field) -> None:
        for row, each in readings:
            kept = each.value if isinstance(each.value, str) else "; ".join(each.value)
            self.noted.append(self._note(row, each.reason, each.dropped or kept, field, kept=not each.dropped))

    def drop(self, notes: Iterable[tuple[int, str, str]], field: Field) -> None:
        self.noted += [self._note(*note, field) for note in notes]

    def keep(self, notes: Iterable[tuple[int, str, str]], field: Field | None) -> None:
        self.noted += [self._note(*note, field, kept=True) for note in notes]

    def _note(self, position: int, reason: str, cell: str, field: Field | None, *, kept: bool = False) -> RowNote:
        return RowNote(
            source=self._source,
            row=int(self._numbers[position]),
            column=self._labels[field] if field else "",
            reason=reason,
            kept=kept,
            value=shown(cell),
            value_masked=masked(field, cell) if field else "",
        )


def _in_order(note: RowNote) -> int:
    return note.row
