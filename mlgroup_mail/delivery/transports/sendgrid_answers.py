"""What SendGrid answers, or fails to, in words that a person can act on. No address and no key is among them."""

import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from mlgroup_mail.addresses import mask_text
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.errors import TransportError

_WAIT = "Try again later; mlgroup-mail doctor shows whether it answers."
_LONGEST_WAIT = 3600.0
"""Seconds that are waited at most because a header says so: its clock and ours may differ by anything."""

_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidError:
    """One of the errors of an answer. `field` is where it says it is, as `personalizations.3.to.0.email`; may be ""."""

    field: str
    message: str

    @property
    def ours(self) -> bool:
        """Whether it is about what all recipients share."""
        return bool(self.field) and not self.field.startswith("personalizations")


def said_errors(body: bytes) -> list[SaidError]:
    """The errors that an answer names; none where it cannot be read."""
    try:
        errors = json.loads(body)["errors"]
        return [_said_error(error) for error in errors]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def said(status: int, errors: list[SaidError], *, key: str) -> str:
    """An answer on one line, short, with addresses and the key masked."""
    first = errors[0] if errors else SaidError(field="", message="")
    words = ": ".join(part for part in (first.field, first.message) if part)
    words = " ".join(words.replace(key, "…").split()) if key else " ".join(words.split())
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return mask_text(f"{status} {words}".strip())[:180] + more


def wait_named(headers: Mapping[str, str], *, now: float) -> float | None:
    """How many seconds an answer asks to wait; None where it names none. `now` is in seconds since 1970.

    `X-RateLimit-Reset` is a moment, by the server's clock, which `Date` tells; `Retry-After` is a number of seconds or
    a moment (RFC 9110, section 10.2.3).
    """
    server_now = _moment(headers.get("date", "")) or now
    if (reset := _number(headers.get("x-ratelimit-reset", ""))) is not None:
        return _within_reason(reset - server_now)
    after = headers.get("retry-after", "")
    if (seconds := _number(after)) is not None:
        return _within_reason(seconds)
    moment = _moment(after)
    return None if moment is None else _within_reason(moment - server_now)


def explain(error: Exception, account: SendGridAccount) -> TransportError:
    """Why there is no connection: what happened, what to do, whether waiting may help."""
    message, mend, temporary = _network(error, account)
    return TransportError(message, where=account.host, mend=mend, temporary=temporary)


def _network(error: Exception, account: SendGridAccount) -> tuple[str, str, bool]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate cannot be trusted: {error.verify_message.rstrip('.')}",
            "Is MLGROUP_SENDGRID_URL right? Where something in the network opens what is protected, "
            "MLGROUP_SENDGRID_CA_FILE names its authority.",
            False,
        )
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS here", "Check MLGROUP_SENDGRID_URL.", False
    cause = error.__cause__ or error
    if isinstance(cause, socket.gaierror):
        return "there is no server of that name", "Check MLGROUP_SENDGRID_URL, and the network.", True
    # urllib3 makes every failure to connect a kind of its timeout.
    late = isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError)
    if late or isinstance(cause, TimeoutError):
        return f"it did not answer within {account.timeout:g} s", _WAIT, True
    reason = (cause.strerror if isinstance(cause, OSError) else "") or type(cause).__name__
    return f"it cannot be reached: {reason[:1].lower()}{reason[1:]}", _WAIT, True


def _said_error(error: Mapping[str, object]) -> SaidError:
    place, message = error.get("field"), error.get("message")
    known = isinstance(place, str) and place != "null" and _FIELD.fullmatch(place)
    return SaidError(field=str(place) if known else "", message=message if isinstance(message, str) else "")


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s*\d{1,12}(\.\d{1,6})?\s*", text, re.ASCII) else None


def _moment(text: str) -> float | None:
    try:
        found: datetime = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _within_reason(seconds: float) -> float:
    return min(max(seconds, 1.0), _LONGEST_WAIT)
