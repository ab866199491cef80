"""Domains that are a slip for one that is common in the list. They are told, never corrected and never merged."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.distinct import Distinct
from mlgroup_mail.contacts.cleaning.notes import RowNote
from mlgroup_mail.contacts.cleaning.rows import Rows
from mlgroup_mail.contacts.fields import Field


def near_misses(tables: Sequence[Rows]) -> Iterator[RowNote]:
    """A note for each row whose domain looks like a slip; each distinct domain is compared once."""
    hosts = [Distinct.of(rows.keys.str.replace(r"^.*@", "", regex=True)) for rows in tables]
    counts = Counter[str]()
    for column in hosts:
        counts.update(dict(zip(column.values, np.bincount(column.codes).tolist(), strict=True)))
    meant = addresses.near_misses(counts)
    for rows, column in zip(tables, hosts, strict=True):
        slips = np.flatnonzero(column.where(meant.__contains__))
        addresses_of = rows.columns[Field.EMAIL].take(slips)
        for position, host, address in zip(slips.tolist(), column.take(slips), addresses_of, strict=True):
            yield rows.remark(position, Field.EMAIL, f"is the domain meant to be {meant[host]}?", address)
