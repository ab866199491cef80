"""What a mail server answers, or fails to, in words that a person can act on."""

import smtplib
import socket
import ssl

from mlgroup_mail.addresses import mask_text
from mlgroup_mail.delivery.transports.smtp_refusals import mend_for
from mlgroup_mail.errors import RefusedByServerError, TransportError

_ASK = "Ask whoever runs it what it needs from this machine."
_LOGIN = (
    "Check MLGROUP_SMTP_USER and MLGROUP_SMTP_PASSWORD; with OAuth, whether the application may use this mailbox "
    "(permission SMTP.SendAsApp, New-ServicePrincipal, Add-MailboxPermission)."
)
_WAIT = "Try again later; mlgroup-mail doctor shows whether it answers."


def answer(code: int, text: bytes | str) -> str:
    """A server's answer on one line, short, with addresses masked."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return mask_text(f"{code} {' '.join(words.split())}".strip())[:200]


def explain(error: OSError | smtplib.SMTPException, place: str, timeout: float) -> TransportError:
    """Why there is no connection to the server at `place`: what happened, what to do, whether waiting may help.

    `timeout` is how many seconds it was given for each step.
    """
    if isinstance(error, smtplib.SMTPResponseException) and 200 <= error.smtp_code <= 599:
        return _said_no(error, place)
    if isinstance(error, ssl.SSLError):
        message, mend, temporary = _tls(error)
    elif isinstance(error, smtplib.SMTPResponseException):
        message, mend = "what answers there is not a mail server", "Check MLGROUP_SMTP_HOST and MLGROUP_SMTP_PORT."
        temporary = False
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        message, mend, temporary = _lacks(error)
    else:
        message, mend, temporary = _network(error, timeout)
    return TransportError(message, where=place, mend=mend, temporary=temporary)


def unforeseen(place: str) -> TransportError:
    """There is no connection to the server at `place`, for a reason that nobody has thought of."""
    return TransportError(
        "talking to it failed in a way that nobody foresaw; the log names the kind",
        where=place,
        mend=_WAIT,
        temporary=True,
    )


def _said_no(error: smtplib.SMTPResponseException, place: str) -> TransportError:
    login = isinstance(error, smtplib.SMTPAuthenticationError)
    said = answer(error.smtp_code, error.smtp_error)
    message = f"it refuses the login: {said}" if login else f"it does not let us in: {said}"
    if 400 <= error.smtp_code <= 499:
        return TransportError(message, where=place, mend=_WAIT, temporary=True)
    otherwise = _LOGIN if login else _ASK
    return RefusedByServerError(
        message, where=place, mend=mend_for(error.smtp_code, error.smtp_error, otherwise=otherwise)
    )


def _tls(error: ssl.SSLError) -> tuple[str, str, bool]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate cannot be trusted: {error.verify_message.rstrip('.')}",
            "MLGROUP_SMTP_HOST must be a name in its certificate; MLGROUP_SMTP_CA_FILE names an authority of your own.",
            False,
        )
    return "it does not speak TLS here", "MLGROUP_SMTP_TLS is implicit for port 465, starttls for 587 and 25.", False


def _lacks(error: smtplib.SMTPNotSupportedError) -> tuple[str, str, bool]:
    if "STARTTLS" in str(error):
        return (
            "it offers no STARTTLS, so nothing was said to it",
            "MLGROUP_SMTP_TLS is implicit for port 465; none is only for a relay on the same machine.",
            False,
        )
    if "XOAUTH2" in str(error):
        return (
            "it offers no login by OAuth (XOAUTH2)",
            "Exchange Online offers it at smtp.office365.com, port 587 with starttls; other servers want a password.",
            False,
        )
    return (
        "it offers no login that we know",
        "Leave MLGROUP_SMTP_USER out, or protect the connection with MLGROUP_SMTP_TLS.",
        False,
    )


def _network(error: Exception, timeout: float) -> tuple[str, str, bool]:
    # smtplib tells a silence and a broken connection by the same exception, with the cause inside.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"it did not answer within {timeout:g} s", _WAIT, True
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "it broke off the connection", _WAIT, True
    if isinstance(error, socket.gaierror):
        return (
            "there is no server of that name",
            "Check MLGROUP_SMTP_HOST, and the network.",
            error.errno == socket.EAI_AGAIN,
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else mask_text(str(error))
    return f"it cannot be reached: {reason[:1].lower()}{reason[1:]}", _WAIT, True
