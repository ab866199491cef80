"""A small SMTP server of our own that fails exactly where a test tells it to.

smtp-sink shows that the ordinary way works against somebody else's server; this one shows each way in which
it does not: a refusal, a broken line, a silence or nonsense at every phase of the conversation, and TLS and
AUTH that fail. It keeps a record of what it has taken, which is the truth that a sender's ledger is compared
with.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.faults import Fault, Phase
from tests.servers.processes import HOST
from tests.servers.smtp_conversation import Conversation, Hangup, address_in

# A whole reply, every line of it: only that has told the sender.
_ACCEPTS = re.compile(rb"(250-[^\r\n]*\r?\n)*250( [^\r\n]*)?\r?\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """One message whose final dot has arrived; lines end in CRLF and dots are unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(kw_only=True, slots=True)
class _Session:
    """What one connection has said so far."""

    secure: bool
    authenticated: bool = False
    messages: int = 0
    greeted: bool = False
    sender: str | None = None
    internationalised: bool = False
    recipients: list[str] = field(default_factory=list)

    def reset(self) -> None:
        self.sender = None
        self.internationalised = False
        self.recipients = []


class FaultySmtp:
    """The running server; faults may be added at any time, and hold for connections already open too."""

    def __init__(
        self,
        *,
        tls: str = "none",
        certificate: Path | None = None,
        login: tuple[str, str] | None = None,
        tokens: dict[str, str] | None = None,
        smtputf8: bool = False,
        pipelining: bool = False,
        lenient: bool = False,
        room: int = 4096,
        most_connections: int | None = None,
        refusing: str = "421 4.7.0 too many connections",
        messages_each: int | None = None,
        enough: str = "421 4.4.2 too many messages over this connection",
    ) -> None:
        """`tls` is none, starttls or implicit; with a `login` nothing is taken before AUTH.

        `tokens` are the users who log in with XOAUTH2, each with the one token that is good now. Addresses beyond ASCII
        are taken only with `smtputf8`, and only where MAIL has said so (RFC 6531, 3.4). Beyond `most_connections` at
        once a further one is greeted with `refusing`; after `messages_each` over one, MAIL is answered with `enough`.
        With `pipelining` it offers that (RFC 2920); a `lenient` one asks for content though it has refused everybody.
        `room` is how many bytes wait at most until it reads on: few, so that a client notices in the middle of a
        message that nobody does.
        """
        self.host = HOST
        self.accepted: list[Taken] = []
        """Messages answered with 250 after their dot: the sender has been told."""
        self.taken: list[Taken] = []
        """Every message whose dot arrived, whatever was answered."""
        self.commands: list[str] = []
        """Every line of every conversation but contents and logins, in order, each with its verb in capitals."""
        self.connections = 0
        self.tokens = tokens
        self.logins: list[bool] = []
        """Whether each AUTH with a token was good."""
        self._tls = tls
        self._login = login
        self._most_connections, self._refusing = most_connections, refusing
        self._messages_each, self._enough = messages_each, enough
        self._smtputf8 = smtputf8
        self._pipelining, self._lenient, self._room = pipelining, lenient, room
        self._faults: list[Fault] = []
        self._ended = threading.Event()
        self._context: ssl.SSLContext | None = None
        if tls != "none":
            assert certificate, "TLS needs a certificate: see tests.servers.certificates"
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._start(self._accept)

    def on(
        self,
        phase: Phase,
        reply: str | bytes | None = None,
        *,
        close: bool = False,
        stall: bool = False,
        to: str = "",
        after: int = 0,
        times: int | None = None,
        until: threading.Event | None = None,
    ) -> FaultySmtp:
        """Fail at a phase: send `reply` and go on, or `close` the connection, or `stall` until the test ends.

        With `until` everything is in order, but waits for the test. Only where the client's line contains `to`, not
        the first `after` times, and `times` times at most.
        """
        raw = reply.encode() + b"\r\n" if isinstance(reply, str) else reply
        self._faults.append(
            Fault(phase=phase, reply=raw, close=close, stall=stall, to=to, after=after, times=times, until=until)
        )
        return self

    def mend(self) -> None:
        """No more faults from here on."""
        self._faults.clear()

    def stop(self) -> None:
        """End every conversation, also the stalled ones."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._room)
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        talk = Conversation(connection)
        with self._lock:
            self._sockets.add(connection)
        try:
            with contextlib.suppress(Hangup, OSError):
                if self._tls == "implicit":
                    self._secure(talk)
                self._converse(talk)
        finally:
            with self._lock:
                self._sockets.discard(talk.connection)
            talk.close()

    def _secure(self, talk: Conversation) -> None:
        assert self._context
        self._fail(Phase.HANDSHAKE, talk)
        secured = self._context.wrap_socket(talk.connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._sockets.discard(talk.connection)
            self._sockets.add(secured)
        talk.go_on_with(secured)
        secured.do_handshake()

    def _fail(self, phase: Phase, talk: Conversation, line: str = "") -> bool:
        """Whether a fault has answered in the ordinary reply's place."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.phase is phase and fault.applies(line)), None)
        if not fault:
            return False
        if fault.until:
            fault.until.wait(timeout=30)
        if fault.reply is not None:
            if phase is Phase.DOT and _ACCEPTS.match(fault.reply):
                self.accepted.append(self.taken[-1])
            talk.send(fault.reply)
        if fault.stall:
            self._ended.wait()
        if fault.close or fault.stall:
            raise Hangup
        return fault.reply is not None

    def _converse(self, talk: Conversation) -> None:
        session = _Session(secure=self._tls == "implicit")
        if self._most_connections is not None and len(self._sockets) > self._most_connections:
            talk.say(self._refusing)
            return
        if not self._fail(Phase.GREETING, talk):
            talk.say("220 faulty.example ESMTP")
        while line := talk.hear():
            verb = line.split(" ", 1)[0].upper()
            self.commands.append(verb + line[len(verb) :] if verb != "AUTH" else verb)
            phase = Phase.EHLO if verb == "HELO" else next((p for p in Phase if p == verb.lower()), None)
            if phase and phase not in (Phase.DATA, Phase.AUTH) and self._fail(phase, talk, line):
                continue
            if verb == "STARTTLS" and self._tls == "starttls":
                talk.say("220 go ahead")
                self._secure(talk)
                session = _Session(secure=True)
                continue
            if (answer := self._answer(verb, line, session, talk)) is not None:
                talk.say(answer)
            if verb == "QUIT":
                return

    def _answer(self, verb: str, line: str, session: _Session, talk: Conversation) -> str | None:
        """The reply of a server without faults; None where a fault has answered already."""
        match verb:
            case "EHLO" | "HELO":
                session.reset()
                session.greeted = True
                return self._abilities(session)
            case "AUTH":
                return self._authenticate(line, session, talk)
            case "DATA" if session.recipients or (self._lenient and session.sender is not None):
                return self._take(session, talk)
            case "MAIL" | "RCPT" | "DATA":
                return self._note(verb, line, session)
            case "RSET":
                session.reset()
        return {"RSET": "250 2.0.0 Ok", "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye"}.get(
            verb, "502 5.5.1 Not implemented"
        )

    def _note(self, verb: str, line: str, session: _Session) -> str:
        """A part of the envelope, where it is its turn."""
        if (self._login or self.tokens) and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if verb == "MAIL" and session.messages == self._messages_each:
            return self._enough
        if verb == "MAIL" and session.greeted and session.sender is None:
            if not line.isascii() and not self._internationalised(line):
                return "553 5.6.7 Address not ASCII"
            session.internationalised = self._internationalised(line)
            session.sender = address_in(line)
        elif verb == "RCPT" and not line.isascii() and not session.internationalised:
            return "553 5.6.7 Address not ASCII"
        elif verb == "RCPT" and session.sender is not None:
            session.recipients.append(address_in(line))
        else:
            return "503 5.5.1 Bad sequence of commands"
        return "250 2.1.0 Ok"

    def _internationalised(self, line: str) -> bool:
        return self._smtputf8 and "SMTPUTF8" in line.split(" ")

    def _abilities(self, session: _Session) -> str:
        abilities = ["faulty.example", "8BITMIME", "SIZE 10485760", *(["SMTPUTF8"] if self._smtputf8 else [])]
        abilities += ["PIPELINING"] if self._pipelining else []
        if self._tls == "starttls" and not session.secure:
            abilities.append("STARTTLS")
        mechanisms = [*(["PLAIN LOGIN"] if self._login else []), *(["XOAUTH2"] if self.tokens is not None else [])]
        if mechanisms:
            abilities.append(" ".join(["AUTH", *mechanisms]))
        return "\r\n".join(f"250-{ability}" for ability in abilities) + "\r\n250 ENHANCEDSTATUSCODES"

    def _authenticate(self, line: str, session: _Session, talk: Conversation) -> str | None:
        if self._fail(Phase.AUTH, talk):
            return None
        _, mechanism, *first = line.split(" ")
        if mechanism.upper() == "XOAUTH2":
            return self._check_token(first[0], session, talk)
        if mechanism.upper() == "PLAIN":
            answer = first[0] if first else talk.ask("334 ")
            given = tuple(base64.b64decode(answer).decode().split("\0")[1:])
        else:
            name = first[0] if first else talk.ask("334 VXNlcm5hbWU6")
            given = (base64.b64decode(name).decode(), base64.b64decode(talk.ask("334 UGFzc3dvcmQ6")).decode())
        session.authenticated = given == self._login
        return "235 2.7.0 Accepted" if session.authenticated else "535 5.7.8 Username and password not accepted"

    def _check_token(self, given: str, session: _Session, talk: Conversation) -> str:
        """As Exchange Online does it: a reason in JSON, an empty line of the client, and only then the refusal."""
        good = [f"user={user}\x01auth=Bearer {token}\x01\x01" for user, token in (self.tokens or {}).items()]
        session.authenticated = base64.b64decode(given).decode() in good
        self.logins.append(session.authenticated)
        if session.authenticated:
            return "235 2.7.0 Authentication successful"
        empty = talk.ask("334 " + base64.b64encode(b'{"status":"400","schemes":"Bearer"}').decode())
        return "535 5.7.3 Authentication unsuccessful" if not empty else "501 5.5.4 Not an empty line"

    def _take(self, session: _Session, talk: Conversation) -> str | None:
        """DATA, the content, its dot; the answer to that."""
        if self._fail(Phase.DATA, talk):
            return None
        talk.say("354 End data with <CR><LF>.<CR><LF>")
        lines: list[bytes] = []
        while (line := talk.hear_raw()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
            if len(lines) == 1:
                self._fail(Phase.BODY, talk)
        taken = Taken(sender=session.sender or "", recipients=tuple(session.recipients), content=b"".join(lines))
        self.taken.append(taken)
        session.messages += 1
        session.reset()
        if self._fail(Phase.DOT, talk, " ".join(taken.recipients)):
            return None
        self.accepted.append(taken)
        return "250 2.0.0 Ok: queued"


@contextlib.contextmanager
def run_faulty_smtp(
    *,
    tls: str = "none",
    certificate: Path | None = None,
    login: tuple[str, str] | None = None,
    **options: Any,
) -> Iterator[FaultySmtp]:
    """The running server, until the context ends; `options` as FaultySmtp has them."""
    server = FaultySmtp(tls=tls, certificate=certificate, login=login, **options)
    try:
        yield server
    finally:
        server.stop()
