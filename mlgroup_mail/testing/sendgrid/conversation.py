"""HTTP, and the ways in which it breaks: one thread a connection, kept open between requests."""

import contextlib
import http.server
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from mlgroup_mail.testing.sendgrid.answers import MAIL_SEND, Answer, Request, refuse
from mlgroup_mail.testing.sendgrid.faults import Fault, Faults, Trouble
from mlgroup_mail.testing.sendgrid.notes import Note, Notes

LARGEST = 30_000_000
"""Bytes of a body. The service says 30 MB."""
IDLE = 60.0
"""Seconds after which a silent connection is closed."""


class Service(Protocol):
    """What stands behind the server."""

    faults: Faults
    notes: Notes

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""


class Server(http.server.ThreadingHTTPServer):
    """The listening socket and its connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service, certificate: Path | None = None) -> None:
        self.service = service
        self._open: set[socket.socket] = set()
        self._reset: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Conversation)
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            # The handshake is the connection's own thread's work, at its first read.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def opened(self, connection: socket.socket) -> None:
        """A connection has begun."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """A connection has ended."""
        with self._lock:
            self._open.discard(connection)

    def reset(self, connection: socket.socket) -> None:
        """This one is to end with RST instead of FIN, so that what is on its way is lost."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reset.add(connection)

    def shutdown_request(self, request: Any) -> None:
        """Without the usual farewell where the connection is to be reset."""
        if request in self._reset:
            self._reset.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def server_close(self) -> None:
        """Break off everything."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of failures; a client that goes away in the middle is none."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Conversation(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the truth log and the notes tell."""

    def do_POST(self) -> None:
        self._serve()

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815

    def _serve(self) -> None:
        service, sends = self.server.service, self.path == MAIL_SEND and self.command == "POST"
        number = service.notes.number() if sends else 0
        fault = service.faults.due(self.path.partition("?")[0], number)
        announced = self.headers.get("Content-Length", "0")
        length = int(announced) if announced.isdecimal() else 0
        answer = self._read(fault, number, length)
        if sends:
            taken = answer is not None and answer.status == 202
            # Noted before it is said: whoever has read the answer may look at once.
            service.notes.add(Note(number=number, bytes=length, status=_legible(fault, answer), taken=taken))
        if answer is None:
            return
        if fault:
            self._misbehave(fault, answer)
        else:
            self._say(answer)

    def _read(self, fault: Fault | None, number: int, length: int) -> Answer | None:
        """Read the request and carry it out as far as the fault allows; None where nothing more is to be said."""
        trouble = fault.trouble if fault else None
        if trouble is Trouble.RESETS_BEFORE:
            self._reset()
            return None
        if trouble is Trouble.ANSWERS_EARLY:
            self.close_connection = True
            return Answer(status=0)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.close_connection = True
            return refuse(411, "length required")
        if length > LARGEST:
            self._drain(length)
            return refuse(413, "content too large")
        if trouble is Trouble.RESETS_DURING:
            self.rfile.read(length // 2)
            self._reset()
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        if fault and not fault.carries_out:
            return Answer(status=0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.service.answer(
            Request(method=self.command, target=self.path, headers=headers, body=body, number=number)
        )

    def _misbehave(self, fault: Fault, answer: Answer) -> None:
        """Do what the fault says, after the whole request was read."""
        time.sleep(fault.seconds)
        match fault.trouble:
            case Trouble.WAITS:
                self._say(answer)
            case Trouble.CLOSES:
                self.close_connection = True
                self._say(answer)
            case Trouble.ANSWERS | Trouble.ANSWERS_EARLY:
                self._say(_given(fault))
            case Trouble.RESETS_AFTER:
                self._reset()
            case Trouble.CUTS_STATUS:
                self._cut(b"HTTP/1.1 2")
            case Trouble.CUTS_BODY:
                self._cut(f"HTTP/1.1 {fault.status} \r\nContent-Length: 100\r\n\r\n{{".encode())

    def _say(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _cut(self, start: bytes) -> None:
        self.wfile.write(start)
        self.close_connection = True

    def _reset(self) -> None:
        self.server.reset(self.connection)
        self.close_connection = True

    def _drain(self, length: int) -> None:
        """Read what is refused, so that the answer is not lost to a reset, but not without end."""
        left = min(length, 2 * LARGEST)
        while left > 0 and (read := self.rfile.read(min(left, 1 << 20))):
            left -= len(read)
        self.close_connection = True


def _given(fault: Fault) -> Answer:
    return Answer(status=fault.status, headers=fault.headers, body=fault.body.encode())


def _legible(fault: Fault | None, answer: Answer | None) -> int | None:
    """The status that the client can read."""
    if answer is None or (fault and fault.trouble in (Trouble.RESETS_AFTER, Trouble.CUTS_STATUS)):
        return None
    other = (Trouble.ANSWERS, Trouble.ANSWERS_EARLY, Trouble.CUTS_BODY)
    return fault.status if fault and fault.trouble in other else answer.status
