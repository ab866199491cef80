"""The truth: a mail server that writes down what it accepts, on disk, before it says so.

A line of its log is one accepted message, forced to disk (fsync) before the 250 leaves. What is in the log has arrived,
whether or not anybody was told; what is not has not.
"""

import contextlib
import json
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from tests.chaos.truth import Arrival
from tests.servers.processes import HOST

USER, PASSWORD = "relay", "canary-password-in-the-settings"

_HEADER = re.compile(rb"(?im)^(message-id|list-unsubscribe):((?:.*\r\n)(?:[ \t].*\r\n)*)")
_BRACKETED = re.compile(r"<([^>]*)>")


class Trouble(StrEnum):
    """What the server does instead of answering as usual."""

    SAYS = "says"
    """It gives another answer."""
    CUTS = "cuts"
    """It breaks off the connection; after a final dot: before it has taken the message."""
    CUTS_AFTER = "cuts after"
    """After a final dot: it takes the message and breaks off the connection before it says so."""
    STALLS = "stalls"
    """It says nothing more; after a final dot: before it has taken the message."""
    STALLS_AFTER = "stalls after"
    """After a final dot: it takes the message and says nothing more."""
    DIES = "dies"
    """It breaks off all connections and takes no new ones until it is started again."""
    DIES_AFTER = "dies after"
    """After a final dot: it takes the message first."""


@dataclass(kw_only=True, slots=True)
class Fault:
    """One trouble: at the `count`-th time that `verb` comes up, and `times` times from there on."""

    verb: str
    trouble: Trouble
    answer: str = ""
    count: int = 1
    times: int = 1


class _Hangup(Exception):
    """This connection is over."""


class TruthSink:
    """The running server."""

    def __init__(self, log: Path, *, pipelining: bool = False, patience: float = 0.0) -> None:
        """`patience`: seconds that it takes for each message, so that others may come in between."""
        self.log = log
        self.refused: set[str] = set()
        """Who was refused for good (5xx), so that nobody must count them as lost."""
        self.doubts = 0
        """Final dots that it has not answered, or in a way that nobody can read; messages cut in their middle."""
        self.faults: list[Fault] = []
        self._pipelining, self._patience = pipelining, patience
        self._file = log.open("ab")
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._listen()

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a command that sends to it."""
        return {
            "MLGROUP_TRANSPORT": "smtp",
            "MLGROUP_SMTP_HOST": HOST,
            "MLGROUP_SMTP_PORT": str(self.port),
            "MLGROUP_SMTP_TLS": "none",
            "MLGROUP_SMTP_USER": USER,
            "MLGROUP_SMTP_PASSWORD": PASSWORD,
            "MLGROUP_SMTP_TIMEOUT": "20",
        }

    @property
    def untouched(self) -> list[str]:
        """Troubles that were ordered and have not come, by name."""
        return [f"{fault.verb} {fault.trouble}" for fault in self.faults if fault.times > 0]

    def arrivals(self) -> list[Arrival]:
        """What its log on disk says."""
        return [Arrival(**json.loads(line)) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def mend(self) -> None:
        """No more faults; started again where it is down."""
        self.faults.clear()
        if self._over.is_set():
            self._over.clear()
            # Its own former connections may linger on the port (SO_REUSEADDR is create_server's default).
            self._listener = socket.create_server((HOST, self.port))
            self._listen()

    def die(self) -> None:
        """Break off everything, as a server does whose machine lost its power: with no farewell."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            # What comes over the others is lost as well, maybe right after their final dots.
            self.doubts += max(len(self._sockets) - 1, 0)
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.die()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=10)
        self._file.close()

    def _listen(self) -> None:
        self._run(self._accept, self._listener)

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.add(connection)
        file = connection.makefile("rb")
        try:
            with contextlib.suppress(_Hangup, OSError):
                _Conversation(self, connection, file).run()
        finally:
            with self._lock:
                self._sockets.discard(connection)
            with contextlib.suppress(OSError):
                file.close()
            connection.close()

    def take(self, recipients: list[str], content: bytes) -> None:
        """Write a message down, on disk."""
        headers = {name.decode().lower(): b"".join(value.split()).decode() for name, value in _HEADER.findall(content)}
        unsubscribe = _BRACKETED.search(headers.get("list-unsubscribe", ""))
        with self._lock:
            for recipient in recipients:
                line = {
                    "recipient": recipient,
                    "message_id": headers.get("message-id", ""),
                    "unsubscribe": unsubscribe[1] if unsubscribe else "",
                }
                self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def due(self, verb: str) -> Fault | None:
        """The fault whose turn it is; counts the turn."""
        with self._lock:
            for fault in self.faults:
                if fault.verb == verb and fault.times > 0:
                    fault.count -= 1
                    if fault.count < 1:
                        fault.times -= 1
                        return fault
        return None

    def doubt(self) -> None:
        with self._lock:
            self.doubts += 1

    def refuse(self, recipients: list[str]) -> None:
        with self._lock:
            self.refused.update(recipients)

    def rest(self) -> None:
        """Be silent until the end."""
        self._over.wait(60)
        raise _Hangup

    def take_time(self) -> None:
        if self._patience:
            time.sleep(self._patience)

    @property
    def abilities(self) -> list[str]:
        offered = ["truth.example", "8BITMIME", "SIZE 10485760", "AUTH PLAIN LOGIN"]
        return [*offered, "PIPELINING"] if self._pipelining else offered


class _Conversation:
    """One connection."""

    def __init__(self, sink: TruthSink, connection: socket.socket, file: BinaryIO) -> None:
        self._sink, self._connection, self._file = sink, connection, file
        self._recipients: list[str] = []

    def run(self) -> None:
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._fails("greeting"):
            self._say("220 truth.example ESMTP")
        while line := self._hear().decode("utf-8", "replace").rstrip("\r\n"):
            verb = line[:4].strip().upper()
            if not self._fails(verb.lower(), line):
                self._answer(verb, line)
            if verb == "QUIT":
                return

    def _answer(self, verb: str, line: str) -> None:
        match verb:
            case "EHLO":
                *more, last = self._sink.abilities
                self._send("".join(f"250-{each}\r\n" for each in more) + f"250 {last}\r\n")
            case "AUTH":
                self._login(line)
            case "RCPT":
                self._recipients.append(_address(line))
                self._say("250 2.1.5 Ok")
            case "DATA" if self._recipients:
                self._take()
            case "DATA":
                self._say("503 5.5.1 No recipients")
            case "MAIL" | "RSET":
                self._recipients = []
                self._say("250 2.0.0 Ok")
            case _:
                self._say("221 2.0.0 Bye" if verb == "QUIT" else "250 2.0.0 Ok")

    def _login(self, line: str) -> None:
        """Everybody may: the password is a canary, not a lock."""
        _, mechanism, *first = line.split(" ")
        if mechanism.upper() == "LOGIN":
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6")[len(first) :]:
                self._say(prompt)
                self._hear()
        elif not first:
            self._say("334 ")
            self._hear()
        self._say("235 2.7.0 Accepted")

    def _take(self) -> None:
        self._say("354 Go ahead")
        lines: list[bytes] = []
        while (line := self._hear()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
            if len(lines) == 1 and (fault := self._sink.due("body")):
                # All of the message may lie in the socket by now, its final dot too: the sender cannot know.
                self._do(fault, self._recipients, doubtful=True)
        recipients, self._recipients = self._recipients, []
        self._sink.take_time()
        fault = self._sink.due("dot")
        if fault is None:
            self._sink.take(recipients, b"".join(lines))
            self._say("250 2.0.0 Ok: queued")
            return
        if fault.trouble in (Trouble.CUTS_AFTER, Trouble.STALLS_AFTER, Trouble.DIES_AFTER):
            self._sink.take(recipients, b"".join(lines))
        self._do(fault, recipients, doubtful=True)

    def _fails(self, verb: str, line: str = "") -> bool:
        """Whether a fault has answered."""
        fault = self._sink.due(verb)
        if fault:
            self._do(fault, [_address(line)] if verb == "rcpt" else self._recipients)
        return fault is not None

    def _do(self, fault: Fault, recipients: list[str], *, doubtful: bool = False) -> None:
        if fault.trouble is Trouble.SAYS:
            if doubtful and not fault.answer.startswith(("4", "5")):
                self._sink.doubt()
            # Noted before it is said: whoever has read it may look at once.
            if fault.answer.startswith("5"):
                self._sink.refuse(recipients)
            self._say(fault.answer)
            if fault.answer.startswith("421"):
                raise _Hangup
            return
        if doubtful:
            self._sink.doubt()
        if fault.trouble in (Trouble.DIES, Trouble.DIES_AFTER):
            self._sink.die()
        if fault.trouble in (Trouble.STALLS, Trouble.STALLS_AFTER):
            self._sink.rest()
        raise _Hangup

    def _hear(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise _Hangup
        return line

    def _say(self, text: str) -> None:
        self._send(f"{text}\r\n")

    def _send(self, text: str) -> None:
        self._connection.sendall(text.encode())


def _address(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")] if "<" in line else ""


@contextmanager
def truth_sink(folder: Path, *, pipelining: bool = False, patience: float = 0.0) -> Iterator[TruthSink]:
    """A running server whose log lies in `folder`."""
    sink = TruthSink(folder / "truth.jsonl", pipelining=pipelining, patience=patience)
    try:
        yield sink
    finally:
        sink.close()
