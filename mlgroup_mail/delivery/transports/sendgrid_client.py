"""One kept connection to SendGrid's interface: a request, its answer, and whether the request may have arrived.

urllib3's connection, without its pool: nothing is redirected, nothing is tried twice, and connecting is a step of its
own, so that what fails before a request's first byte is told apart from what fails behind it.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.delivery.transports.sendgrid_answers import explain
from mlgroup_mail.errors import ConfigurationError

_LONGEST_ANSWER = 1_000_000
"""Bytes of an answer that are read; SendGrid's are a few hundred, its lists of suppressions some ten thousand."""

_LONGEST_SILENCE = 50.0
"""Seconds without a request after which a connection is made anew: what stands between may have forgotten it."""

_FAILURES = (OSError, http.client.HTTPException, HTTPError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back. `headers` by lower-case name; `body` may be cut short."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class NoAnswerError(Exception):
    """A request was begun, and no answer to it can be read: it may have arrived or not. Its text is for people."""


class SendGridClient:
    """One connection, made when it is needed and kept between requests. One thread asks at a time; any may `cut`."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._connection = self._new_connection()
        self._used_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether a connection stands that the server has not closed."""
        return (
            time.monotonic() - self._used_at < _LONGEST_SILENCE
            and self._connection.sock is not None
            and _quiet(self._connection.sock)
        )

    def open(self) -> None:
        """Connect, where no connection stands; raises TransportError."""
        if self.ready:
            return
        self.close()
        self._connection.timeout = self._account.timeout
        try:
            self._connection.connect()
        except _FAILURES as error:
            self.close()
            raise explain(error, self._account) from None
        # From here on what is waited for is the answer: SendGrid reads a whole request before it says anything.
        self._connection.timeout = self._account.answer_timeout
        self._used_at = time.monotonic()

    def post(self, path: str, body: bytes, may_begin: Callable[[], bool]) -> Answer | None:
        """Send one request, and read its answer; None where `may_begin`, asked before its first byte, says no.

        Raises TransportError where there is no connection, so that nothing has left, and NoAnswerError behind that.
        """
        self.open()
        if not may_begin():
            return None
        return self._exchange("POST", path, body)

    def get(self, path: str) -> Answer:
        """Read something of the account. Raises as `post`."""
        self.open()
        return self._exchange("GET", path, None)

    def delete(self, path: str) -> Answer:
        """Take something out of the account; to ask twice does no more than once. Raises as `post`."""
        self.open()
        return self._exchange("DELETE", path, None)

    def cut(self) -> None:
        """Break off what is going on, from another thread: it ends with NoAnswerError."""
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):  # It may be gone already.
                # Not the one of TLS, which would take the session away from under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        self._connection.close()

    def _exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        try:
            self._write(method, path, body)
            return self._read()
        except _FAILURES as error:
            self.close()
            raise NoAnswerError(_what_happened(error)) from None
        finally:
            self._used_at = time.monotonic()

    def _write(self, method: str, path: str, body: bytes | None) -> None:
        headers = {
            "Authorization": f"Bearer {self._account.key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "mlgroup-mail",
        }
        # Who finds a request too large may answer and hang up before it has read all of it.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            self._connection.request(
                method, path, body=body, headers=headers, preload_content=False, decode_content=False
            )

    def _read(self) -> Answer:
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status, headers=headers, body=self._rest(response))

    def _rest(self, response: HTTPResponse) -> bytes:
        """The body; the status counts, whatever happens to it. Where some of it is left the connection is of no use."""
        body = b""
        try:
            body = response.read(_LONGEST_ANSWER)
            whole = not response.read(1)
        except _FAILURES:
            whole = False
        if not whole:
            self.close()
        return body

    def _new_connection(self) -> HTTPConnection:
        account = self._account
        if not account.protected:
            return HTTPConnection(account.host, account.port, timeout=account.timeout)
        try:
            context = ssl.create_default_context(cafile=account.ca_file)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(
                "it holds no certificates that can be read",
                where=f"MLGROUP_SENDGRID_CA_FILE: {account.ca_file}",
                mend="Name a PEM file with the authority's certificate.",
            ) from None
        return HTTPSConnection(account.host, account.port, timeout=account.timeout, ssl_context=context)


def _quiet(sock: socket.socket) -> bool:
    """Whether a connection stands and nothing has come on it: its end, or an answer that nobody asked for.

    It is read and not only looked at: with TLS 1.3 what makes it readable may be a ticket of the session.
    """
    before = sock.gettimeout()
    sock.settimeout(0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        sock.settimeout(before)
    return False


def _what_happened(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionError | http.client.RemoteDisconnected):
        return "the connection broke before the answer"
    return f"no answer that can be read ({type(error).__name__})"
