"""What email-validator says of one address, in a sentence that does not repeat it."""

import re


class AddressError(ValueError):
    """This is not a mail address; the text says why, without repeating it."""


def validated(text: str) -> tuple[str, str]:
    """The local part (NFC) and the domain (A-labels) of an address. Asks no DNS; raises AddressError."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise AddressError(_without_quotation(str(error))) from None
    return found.local_part, found.ascii_domain


def _without_quotation(message: str) -> str:
    """The validator's sentence without the brackets in which IDNA errors repeat the domain."""
    shown = re.sub(r" \((?![^()]* too (?:many|long)).*\)", "", message.rstrip("."))
    return shown[:1].lower() + shown[1:]
