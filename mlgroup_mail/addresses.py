"""Mail addresses: one spelling for sending, one key for comparing, a mask for showing."""

import re
from functools import lru_cache

_ADDRESS_IN_TEXT = re.compile(r"[^\s<>()\[\]\",;:]+@[^\s<>()\[\]\",;:]+")

# RFC 5322, 3.2.3 (dot-atom): what email-validator lets through unchanged.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
_LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets

_USUAL = re.compile(rf"{_PLAIN_LOCAL.pattern}@[A-Za-z0-9.-]*[A-Za-z0-9]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")

_UNSEEN = dict.fromkeys(
    [0x00AD, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)
"""Characters that nobody sees and that copying brings along: soft hyphen, zero width, direction marks."""

_WITH_NAME = re.compile(r"[^<>]*<([^<>]*)>")


class AddressError(ValueError):
    """This is not a mail address; the text says why, without repeating it."""


def normalise(text: str) -> str:
    """One spelling for sending: trimmed, the domain in lower case and as A-labels, the local part as written.

    Asks no DNS; each distinct domain is checked once. Raises AddressError saying what is wrong.
    """
    text = text.strip()
    local, at, host = text.rpartition("@")
    if at and len(local) <= _LONGEST_LOCAL and _PLAIN_LOCAL.fullmatch(local):
        ascii_domain, wrong = _checked_domain(host)
        if wrong:
            raise AddressError(wrong)
        address = f"{local}@{ascii_domain}"
        if len(address) > _LONGEST:
            raise AddressError(f"the address is longer than {_LONGEST} characters")
        return address
    return _validated(text)


def read(text: str) -> str:
    """The one address in what a person wrote or copied into a cell: normalised.

    Understands `mailto:`, `Name <address>`, unseen characters, a full-width at sign, and a comma, semicolon or full
    stop left behind it. Raises AddressError where there is none or more than one.
    """
    if _USUAL.fullmatch(text):
        return normalise(text)
    cell = text.translate(_UNSEEN).replace("\uff20", "@").strip()
    if not cell:
        raise AddressError("the address is missing")
    if named := _WITH_NAME.fullmatch(cell):
        cell = named[1].strip()
    if cell[:7].casefold() == "mailto:":
        cell = cell[7:].partition("?")[0]
    cell = cell.strip("<> \t").rstrip(",;.")
    if _CONTROL.search(cell):
        raise AddressError("the address contains control characters")
    if "@" not in cell:
        raise AddressError("there is no @ in the address")
    if cell.startswith("=") and "(" in cell:
        raise AddressError("a formula stands where the address should")
    if cell.count("@") > 1:
        raise AddressError("there is more than one @: a cell takes one address")
    if len(cell.splitlines()) > 1:
        raise AddressError("there is a line break inside the address")
    if len(cell.split()) > 1:
        raise AddressError("there is a blank inside the address")
    return normalise(cell)


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


def mask(address: str) -> str:
    """What may be shown in logs and errors: `a…@example.org`."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}…@{host}" if local else "…"


def mask_text(text: str) -> str:
    """A text from elsewhere (a server's answer) with every address in it masked."""
    return _ADDRESS_IN_TEXT.sub(lambda found: mask(found[0]), text)


@lru_cache(maxsize=65_536)
def _checked_domain(host: str) -> tuple[str, str]:
    """The domain as A-labels and "", or "" and what is wrong with it: a list names few domains very often."""
    try:
        return domain(_validated(f"a@{host}")), ""
    except AddressError as error:
        return "", str(error)


def _validated(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise AddressError(_without_quotation(str(error))) from None
    return f"{found.local_part}@{found.ascii_domain}"


def _without_quotation(message: str) -> str:
    """The validator's sentence without the brackets in which IDNA errors repeat the domain."""
    shown = re.sub(r" \((?![^()]* too (?:many|long)).*\)", "", message.rstrip("."))
    return shown[:1].lower() + shown[1:]
