"""Reaching a mail server: connecting, TLS, logging in. What fails here is no recipient's affair."""

import contextlib
import ipaddress
import logging
import smtplib
import socket
import ssl

from mlgroup_mail.delivery.transports.oauth import TokenSource, xoauth2
from mlgroup_mail.delivery.transports.smtp_answers import explain, unforeseen
from mlgroup_mail.delivery.transports.smtp_replies import Smtp, SmtpOverTls
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.errors import TransportError
from mlgroup_mail.settings.environment import Tls

log = logging.getLogger(__name__)

_POLITENESS = 5.0
"""Seconds that a goodbye may take: everything has been decided by then."""


def connect(server: SmtpServer, tokens: TokenSource | None = None) -> Smtp:
    """A connection that is ready for a message; `tokens` for a login by OAuth.

    Raises RefusedByServerError where server or login service refuse us, TransportError where it does not come to that.
    """
    if server.user and server.tls is Tls.NONE and not _on_this_machine(server.host):
        raise TransportError(
            f"a {'token' if tokens else 'password'} would cross the network in the open",
            where=server.place,
            mend="Set MLGROUP_SMTP_TLS to starttls or implicit.",
        )
    context = _tls_context(server) if server.tls is not Tls.NONE else None
    connection: Smtp | None = None
    try:
        connection = _open(server, context)
        # The final dot is a small packet behind large ones: held back until those are acknowledged, it would
        # cost each message up to 40 ms.
        assert connection.sock is not None, "smtplib connects in its constructor"
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _greet(connection)
        if server.tls is Tls.STARTTLS:
            _starttls(connection, context)
            _greet(connection)
        if tokens:
            _log_in_with_token(connection, server.user, tokens)
        elif server.user:
            connection.login(server.user, server.password)
    except TransportError:
        if connection:
            say_goodbye(connection)
        raise
    except (OSError, smtplib.SMTPException) as error:
        if connection:
            connection.close()
        raise explain(error, server.place, server.timeout) from None
    except BaseException as error:
        if connection:
            connection.close()
        if not isinstance(error, Exception):
            raise
        # As binascii.Error for a login's challenge that is not base64. Its text may hold what was said, so only its
        # kind is told.
        log.error("the mail server could not be reached: %s", type(error).__name__)
        raise unforeseen(server.place) from None
    return connection


def say_goodbye(connection: Smtp) -> None:
    """QUIT. Whatever comes back changes nothing."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if connection.sock is not None:
            connection.sock.settimeout(_POLITENESS)
            connection.quit()
    connection.close()


def _open(server: SmtpServer, context: ssl.SSLContext | None) -> Smtp:
    if server.tls is Tls.IMPLICIT:
        return SmtpOverTls(server.host, server.port, timeout=server.timeout, context=context)
    return Smtp(server.host, server.port, timeout=server.timeout)


def _greet(connection: Smtp) -> None:
    code, text = connection.ehlo()
    if not 200 <= code <= 299:
        raise smtplib.SMTPHeloError(code, text)


def _log_in_with_token(connection: Smtp, user: str, tokens: TokenSource) -> None:
    """Log in with XOAUTH2; once more with a fresh token where the server no longer takes the one we hold."""
    if "XOAUTH2" not in connection.esmtp_features.get("auth", "").upper().split():
        raise smtplib.SMTPNotSupportedError("XOAUTH2")
    try:
        _authenticate(connection, user, tokens.token())
    except smtplib.SMTPAuthenticationError as refused:
        # 334 stands for a reason in JSON, which the empty answer has acknowledged; the 535 behind it is what counts.
        if refused.smtp_code != 535:
            raise
        _authenticate(connection, user, tokens.renew())


def _authenticate(connection: Smtp, user: str, token: str) -> None:
    first = xoauth2(user, token)
    connection.auth("XOAUTH2", lambda challenge=None: first if challenge is None else "")


def _starttls(connection: smtplib.SMTP, context: ssl.SSLContext | None) -> None:
    # Asked for protection and refused it, nothing more is said: a stripped STARTTLS is how mail is read on
    # its way.
    code, text = connection.starttls(context=context)
    if code != 220:
        raise smtplib.SMTPResponseException(code, text)


def _tls_context(server: SmtpServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(
            f"the certificates cannot be read: {error.strerror or error}",
            where=str(server.ca_file),
            mend="MLGROUP_SMTP_CA_FILE names a PEM file of certificates; without it the system's are used.",
        ) from None


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
