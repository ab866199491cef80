"""The check of `doctor` on the opt-out page: it is where links lead, and knows the key that they are made with."""

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.reporting.diagnosis import Examined, Finding, failed, passed, warned

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_PATIENCE = 5.0
"""Seconds that the page may take: somebody is waiting at the terminal."""
_MARK, _BUTTON = b'name="generator" content="mlgroup-mail"', b'name="scope"'
"""What stands in each of our pages, and in the one that a link leads to whose key is known there."""
_NOBODYS = TokenContent(contact_id=0, mailing_id=0, topic=ALL_TOPICS)
_IS_IT_SERVED = "Is `mlgroup-mail web` running, and does the proxy lead to it? See docs/opt-outs.md."


class _AnotherError(Exception):
    """Something answers, and it is not our page; the text says what."""


def opt_out_page(examined: Examined) -> Finding:
    """Links in mails lead to our page, over HTTPS (RFC 8058, 3.1 asks for it)."""
    url = examined.settings.public_url
    if url is None:
        return warned(
            "MLGROUP_PUBLIC_URL is not set: people opt out by replying, without a link or a button",
            "Serve the pages (docs/opt-outs.md) and set it to their address.",
        )
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        return failed(f"{url} is not https: mail programs show no opt-out button", "Serve the pages over HTTPS.")
    token = _token(examined)
    try:
        page = _page(f"{url.rstrip('/')}/opt-out/{token or 'doctor'}")
    except _AnotherError as error:
        return failed(f"links lead to {url}, and there is no opt-out page: {error}", _IS_IT_SERVED)
    except (OSError, http.client.HTTPException) as error:
        return warned(f"links lead to {url}, and from here no opt-out page is seen: {_why(error)}", _IS_IT_SERVED)
    if token and _BUTTON not in page:
        return failed(
            f"the opt-out page at {url} does not know the key that links are made with here: it opts nobody out",
            "Give `mlgroup-mail web` the same MLGROUP_SECRET_KEYS, and start it again.",
        )
    return passed(f"the opt-out page answers at {url}")


def _token(examined: Examined) -> str:
    """The token of a link that is nobody's, made as those in mails are; empty where there is no key."""
    keys = [key.get_secret_value() for key in examined.settings.secret_keys]
    return OptOutTokens(keys, topics=examined.project.topics).make(_NOBODYS) if keys else ""


def _page(url: str) -> bytes:
    """Our page there; looking at it changes nothing. Raises _AnotherError, OSError or HTTPException."""
    try:
        # The settings allow http and https alone.
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310
            page = bytes(answer.read(100_000))
    except urllib.error.HTTPError as error:
        error.close()
        raise _AnotherError(f"the answer there is {error.code}") from None
    if _MARK not in page:
        raise _AnotherError("something else answers")
    return page


def _why(error: Exception) -> str:
    """Why nothing answers, in words."""
    reason = getattr(error, "reason", error)
    match reason:
        case socket.gaierror():
            return "this machine does not know its name"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted ({reason.verify_message})"
        case ConnectionRefusedError():
            return "nothing listens there"
        case TimeoutError():
            return f"no answer within {_PATIENCE:.0f} seconds"
        case OSError():
            return (reason.strerror or "it cannot be reached").lower()
    return "what answers is no web server"
