"""Who of the rows is one person: rows of all tables become people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from mlgroup_mail.contacts.cleaning.distinct import Positions
from mlgroup_mail.contacts.cleaning.merging import Entry, Groups, group, merge
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

    Most rows share no mailbox and no id with any other: they are set aside as they are. Only the rest is looked at one
    by one.
    """
    shared = _sharing(tables)
    entries = list(_entries(tables, shared))
    groups = group(entries)
    several = _people(entries, groups)
    alone = [_all_but(positions, len(rows)) for rows, positions in zip(tables, shared, strict=True)]
    return Joined(
        people=People(tables, alone, {(entry.table, entry.position): entry.contact for entry in several}),
        merged=tuple(_merged(tables, entries, groups)),
        noted=tuple(_without_id(tables, entries, groups)),
        opted_out=(
            *_opted_out(tables, alone),
            *((entry.contact, entry.opted_out_at) for entry in several if entry.opted_out_at),
        ),
    )


def _people(entries: Sequence[Entry], groups: Groups) -> list[Entry]:
    """Every person once, in the order of their first rows."""
    rows: dict[int, list[Entry]] = {}
    for row, entry in enumerate(entries):
        own = replace(entry, contact=replace(entry.contact, external_id="")) if row in groups.shared_ids else entry
        rows.setdefault(groups.firsts[row], []).append(own)
    return [merge(each) for each in rows.values()]


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


def _merged(tables: Sequence[Rows], entries: Sequence[Entry], groups: Groups) -> Iterator[RowNote]:
    for row, entry in enumerate(entries):
        first = entries[groups.firsts[row]]
        if first is not entry:
            rows, others = tables[entry.table], tables[first.table]
            place = f"row {others.numbers[first.position]}" if others is rows else others.place(first.position)
            yield rows.remark(entry.position, Field.EMAIL, f"the same person as {place}", entry.contact.address)


def _without_id(tables: Sequence[Rows], entries: Sequence[Entry], groups: Groups) -> Iterator[RowNote]:
    for row in sorted(groups.shared_ids):
        entry = entries[row]
        own_id = entry.contact.external_id.partition(":")[2]
        yield replace(tables[entry.table].remark(entry.position, Field.ID, _SHARED_ID, own_id), kept=False)


def _opted_out(tables: Sequence[Rows], alone: Sequence[Positions]) -> Iterator[tuple[Contact, str]]:
    for rows, positions in zip(tables, alone, strict=True):
        wanting_none = positions[rows.opted_out[positions]]
        places = map(rows.place, wanting_none.tolist())
        yield from zip(rows.contacts(wanting_none), places, strict=True)
