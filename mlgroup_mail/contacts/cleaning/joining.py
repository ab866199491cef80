"""Who of the rows is one person: rows of all tables become people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from mlgroup_mail.contacts.cleaning.distinct import Positions
from mlgroup_mail.contacts.cleaning.merging import Entry, Merger
from mlgroup_mail.contacts.cleaning.notes import RowNote
from mlgroup_mail.contacts.cleaning.people import People
from mlgroup_mail.contacts.cleaning.rows import Rows
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.model import Contact

_SHARED_ID = "another person has this id: it is not read for this one"


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """The people; a note for each row that went into another's contact, and for each id that could not be kept.

    `opted_out` are those whose rows say that they want no mail, each with the place that says so.
    """

    people: People
    merged: tuple[RowNote, ...]
    noted: tuple[RowNote, ...]
    opted_out: tuple[tuple[Contact, str], ...]


def join_rows(tables: Sequence[Rows]) -> Joined:
    """Join the rows of all tables, the first ones taking precedence.

    Most rows share no mailbox and no id with any other: they are set aside as they are. Only the rest goes through
    the merger, one by one.
    """
    shared = _sharing(tables)
    merger = Merger()
    for entry in _entries(tables, shared):
        merger.add(entry)
    several = merger.entries()
    alone = [_all_but(positions, len(rows)) for rows, positions in zip(tables, shared, strict=True)]
    return Joined(
        people=People(tables, alone, {(entry.table, entry.position): entry.contact for entry in several}),
        merged=tuple(_merged(tables, shared, merger)),
        noted=tuple(_without_id(tables, merger)),
        opted_out=(
            *_opted_out(tables, alone),
            *((entry.contact, entry.opted_out_at) for entry in several if entry.opted_out_at),
        ),
    )


def _sharing(tables: Sequence[Rows]) -> list[Positions]:
    """For each table, the rows that may be of one person with others: a mailbox or an id of theirs occurs twice."""
    if not tables:
        return []
    names, owners = zip(*(rows.identities() for rows in tables), strict=True)
    starts = np.cumsum([0, *map(len, tables)]).tolist()
    codes, _ = pd.factorize(pd.concat(names, ignore_index=True))
    twice = np.bincount(codes)[codes] > 1
    everywhere = np.concatenate([start + each for start, each in zip(starts, owners, strict=False)])
    shared = np.unique(everywhere[twice])
    return [shared[(start <= shared) & (shared < end)] - start for start, end in pairwise(starts)]


def _all_but(positions: Positions, count: int) -> Positions:
    alone = np.ones(count, dtype=bool)
    alone[positions] = False
    return np.flatnonzero(alone)


def _entries(tables: Sequence[Rows], positions: Sequence[Positions]) -> Iterator[Entry]:
    for number, (rows, chosen) in enumerate(zip(tables, positions, strict=True)):
        for position, contact in zip(chosen.tolist(), rows.contacts(chosen), strict=True):
            opted_out_at = rows.place(position) if rows.opted_out[position] else ""
            yield Entry(
                contact=contact, table=number, position=position, defaults=rows.defaults, opted_out_at=opted_out_at
            )


def _merged(tables: Sequence[Rows], positions: Sequence[Positions], merger: Merger) -> Iterator[RowNote]:
    for entry in _entries(tables, positions):
        holder = merger.holder(entry.contact)
        if (holder.table, holder.position) != (entry.table, entry.position):
            rows, first = tables[entry.table], tables[holder.table]
            place = f"row {first.numbers[holder.position]}" if first is rows else first.place(holder.position)
            yield rows.remark(entry.position, Field.EMAIL, f"the same person as {place}", entry.contact.address)


def _without_id(tables: Sequence[Rows], merger: Merger) -> Iterator[RowNote]:
    for entry in merger.without_id:
        own_id = entry.contact.external_id.partition(":")[2]
        yield replace(tables[entry.table].remark(entry.position, Field.ID, _SHARED_ID, own_id), kept=False)


def _opted_out(tables: Sequence[Rows], alone: Sequence[Positions]) -> Iterator[tuple[Contact, str]]:
    for rows, positions in zip(tables, alone, strict=True):
        wanting_none = positions[rows.opted_out[positions]]
        places = map(rows.place, wanting_none.tolist())
        yield from zip(rows.contacts(wanting_none), places, strict=True)
