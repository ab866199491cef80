"""Reaching a mail server: connecting, TLS, logging in. What fails here is no recipient's affair."""

import contextlib
import ipaddress
import select
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from mlgroup_mail.delivery.transports.smtp_answers import explain
from mlgroup_mail.errors import TransportError
from mlgroup_mail.settings.environment import Settings, Tls

_POLITENESS = 5.0
"""Seconds that a goodbye may take: everything has been decided by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """A mail server and how to reach it.

    `ca_file` names the certificates to trust instead of the system's. `timeout` is how many seconds each step
    may take, `answer_timeout` how many the answer to a finished message may: RFC 5321, 4.5.3.2.6 asks for ten
    minutes, because whoever hangs up earlier makes it uncertain whether the message was taken. `per_minute` is how many
    messages it may be given, None for no limit.
    """

    host: str
    port: int
    tls: Tls = Tls.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout: float = 60.0
    answer_timeout: float = 600.0
    per_minute: int | None = None

    @property
    def place(self) -> str:
        """Which server, for people."""
        return f"{self.host}:{self.port}"


def server_of(settings: Settings) -> SmtpServer:
    """The mail server that the settings name."""
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user or "",
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
        ca_file=settings.smtp_ca_file,
        timeout=settings.smtp_timeout,
        answer_timeout=settings.smtp_answer_timeout,
        per_minute=settings.messages_per_minute,
    )


def connect(server: SmtpServer) -> smtplib.SMTP:
    """A connection that is ready for a message; raises TransportError where it does not come to that."""
    if server.user and server.tls is Tls.NONE and not _on_this_machine(server.host):
        raise TransportError(
            "a password would cross the network in the open",
            where=server.place,
            mend="Set MLGROUP_SMTP_TLS to starttls or implicit.",
        )
    context = _tls_context(server) if server.tls is not Tls.NONE else None
    connection: smtplib.SMTP | None = None
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
        if server.user:
            connection.login(server.user, server.password)
    except (OSError, smtplib.SMTPException) as error:
        if connection:
            connection.close()
        raise explain(error, server.place, server.timeout) from None
    return connection


def is_alive(connection: smtplib.SMTP) -> bool:
    """Whether a connection that has been idle still stands.

    A server says nothing unasked but its farewell (421, or the end of the connection), so anything to read is
    that.
    """
    if connection.sock is None:
        return False
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return not readable


def say_goodbye(connection: smtplib.SMTP) -> None:
    """QUIT. Whatever comes back changes nothing."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if connection.sock is not None:
            connection.sock.settimeout(_POLITENESS)
        connection.quit()
    connection.close()


def _open(server: SmtpServer, context: ssl.SSLContext | None) -> smtplib.SMTP:
    if server.tls is Tls.IMPLICIT:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=server.timeout)


def _greet(connection: smtplib.SMTP) -> None:
    code, text = connection.ehlo()
    if not 200 <= code <= 299:
        raise smtplib.SMTPHeloError(code, text)


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
