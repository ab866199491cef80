"""Reading the address, or the addresses, of a cell."""

import re
from dataclasses import dataclass

from mlgroup_mail.addresses.cells import addresses_in, refuse_rest
from mlgroup_mail.addresses.domains import checked_domain
from mlgroup_mail.addresses.normalising import key, normalise
from mlgroup_mail.addresses.roles import role_remark
from mlgroup_mail.addresses.validating import AddressError

SEVERAL = "more than one address in the cell: the first is used, the others are kept as further addresses"
SOME_UNREADABLE = "more than one address in the cell: what could not be read is left out"
BEYOND_ASCII = "letters beyond ASCII before the @: only servers with SMTPUTF8 take it"

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
USUAL_PATTERN = rf"[A-Za-z0-9_]{_ATOM}*(?:\.{_ATOM}+)*@[A-Za-z0-9.-]*[A-Za-z0-9]"
"""Nothing stands around an address that matches this whole (for `re` and RE2).

`read_cell` keeps its local part as written, its domain is `checked_domain` of what stands behind the @, and the only
remarks are that one's and `role_remark`'s; all of it where the local part has no more than 64 characters and the
address no more than 254.
"""

_USUAL = re.compile(USUAL_PATTERN)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressReading:
    """The address of a cell, normalised; further ones of the same person; and what somebody should look at.

    No remark repeats an address.
    """

    address: str
    further: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_cell(cell: str) -> AddressReading:
    """Read whatever people write or copy into a cell of addresses.

    `mailto:` links, names and comments beside an address, brackets, quotation marks, unseen characters, full-width
    letters, punctuation left behind, several addresses. Raises AddressError saying what is wrong, where no address
    can be read or where it is not certain which letters belong to it.
    """
    found, wrong = _readings(cell)
    if not found:
        raise wrong[0]
    address, *further = found
    local, _, host = address.rpartition("@")
    remarks = (
        SEVERAL if further else "",
        SOME_UNREADABLE if wrong else "",
        "" if local.isascii() else BEYOND_ASCII,
        checked_domain(host).remark,
        role_remark(local),
    )
    return AddressReading(address=address, further=tuple(further), remarks=tuple(filter(None, remarks)))


def read(text: str) -> str:
    """The one address in what a person wrote: normalised. Raises AddressError where there is none or more than one."""
    found, wrong = _readings(text)
    if not found:
        raise wrong[0]
    if len(found) + len(wrong) > 1:
        raise AddressError("there is more than one address")
    return found[0]


def _readings(cell: str) -> tuple[list[str], list[AddressError]]:
    """Every mailbox in a cell once, and what is wrong with the others."""
    if _USUAL.fullmatch(cell):
        return [normalise(cell)], []
    found: dict[str, str] = {}
    wrong: list[AddressError] = []
    for candidate in addresses_in(cell):
        try:
            refuse_rest(candidate)
            address = normalise(candidate)
            found.setdefault(key(address), address)
        except AddressError as error:
            wrong.append(error)
    return list(found.values()), wrong
