"""One spelling for sending, one key for comparing."""

import re

from mlgroup_mail.addresses.domains import checked_domain
from mlgroup_mail.addresses.validating import AddressError, validated

# RFC 5322, 3.2.3 (dot-atom): what email-validator lets through unchanged.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
_LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets; in octets


def normalise(text: str) -> str:
    """One spelling for sending: trimmed, the domain in lower case and as A-labels, the local part as written.

    Asks no DNS; each distinct domain is checked once. Raises AddressError saying what is wrong.
    """
    local, at, host = text.strip().rpartition("@")
    if not at:
        raise AddressError("there is no @ in the address")
    checked = checked_domain(host)
    if checked.wrong:
        raise AddressError(checked.wrong)
    if len(local) > _LONGEST_LOCAL or not _PLAIN_LOCAL.fullmatch(local):
        local = _checked_local(local)
    address = f"{local}@{checked.ascii}"
    if len(address.encode()) > _LONGEST:
        raise AddressError(f"the address is longer than {_LONGEST} characters")
    return address


def key(address: str) -> str:
    """What identifies a mailbox: two addresses with the same key are the same person's. Takes a normalised one.

    Local parts differ in case on paper (RFC 5321, 2.4) and nowhere in practice.
    """
    return address.casefold()


def domain(address: str) -> str:
    """The part behind the last @."""
    return address.rpartition("@")[2]


def is_allowed(address: str, domains: tuple[str, ...] | None) -> bool:
    """Whether an allow-list of domains lets this address through; a domain stands for those below it, None for all."""
    host = domain(address)
    return domains is None or any(host == each or host.endswith(f".{each}") for each in map(str.lower, domains))


def _checked_local(local: str) -> str:
    from mlgroup_mail.addresses.scripts import disguises

    checked, _ = validated(f"{local}@example.org")
    if "\ufffd" in checked:
        raise AddressError("a letter before the @ was lost when the file was written: find it and type it again")
    if not checked.isascii() and disguises(checked):
        raise AddressError("Latin letters stand beside Cyrillic or Greek ones that look like them before the @")
    return checked
