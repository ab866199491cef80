"""A column of addresses: each distinct domain is checked once, and only unusual cells are read one by one."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.distinct import TEXT, Distinct, Mask, Texts
from mlgroup_mail.contacts.words.texts import unguarded

_SHORT = 64
"""Characters up to which neither a local part nor an address can be too long (RFC 5321, 4.5.3.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadAddresses:
    """What a column of addresses was read as, row by row; "" where there is no usable address.

    `further` has the other addresses of cells that hold several. `wrong` and `remarks` are (row, reason, cell).
    """

    address: Texts
    further: dict[int, tuple[str, ...]] = field(default_factory=dict)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)
    remarks: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def key(self) -> Texts:
        """What identifies the mailboxes; `addresses.key` of each."""
        return self.address.str.casefold()


def read_addresses(cells: Texts) -> ReadAddresses:
    """Read a column as `addresses.read_cell` reads each of its cells."""
    texts = cells.str.strip().reset_index(drop=True)
    found = ReadAddresses(address=texts)
    unusual = np.flatnonzero(~_plain(texts))
    read: list[str] = []
    for row, cell in zip(unusual.tolist(), cells.take(unusual).tolist(), strict=True):
        try:
            reading = addresses.read_cell(unguarded(cell))
        except addresses.AddressError as error:
            found.wrong.append((row, str(error), cell))
            read.append("")
            continue
        read.append(reading.address)
        found.remarks.extend((row, remark, cell) for remark in reading.remarks)
        if reading.further:
            found.further[row] = reading.further
    found.address.array[unusual] = pd.array(read, dtype=TEXT)
    return found


def _plain(texts: Texts) -> Mask:
    """The rows that are read as they stand, without a remark: most of every list."""
    usual = (texts.str.len() <= _SHORT) & texts.str.fullmatch(addresses.USUAL_PATTERN)
    hosts = Distinct.of(texts.where(usual, "").str.replace(r"^.*@", "", regex=True))
    before_at = texts.str.replace(r"@.*$", "", regex=True).str.lower().tolist()
    roles: Mask = np.fromiter(map(addresses.ROLE_LOCALS.__contains__, before_at), dtype=bool, count=len(texts))
    usual_ones: Mask = usual.to_numpy()
    return usual_ones & hosts.where(_is_plain_host) & ~roles


def _is_plain_host(host: str) -> bool:
    checked = addresses.checked_domain(host)
    return checked.ascii == host and not checked.remark
