"""Where a process stands in its conversation with a server, read off the bytes that it writes and reads."""

import socket
import threading
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from tests.chaos.http_wire import HttpTalk
from tests.chaos.points import WRITES, Points, Wire

_END = b"\r\n.\r\n"
_AHEAD = b"354"


class Heard(Protocol):
    """What is known of one connection. `last` are the labels of what is read next."""

    content: str
    """The label of what may be cut in its middle."""
    last: frozenset[str]
    begins_with: int
    """So many bytes of an answer are read apart from the rest, where somebody is to die between them; 0: none."""

    def labels(self, data: bytes) -> frozenset[str]:
        """What these bytes would be."""

    def written(self, data: bytes) -> None:
        """These bytes have been written."""

    def heard(self, data: bytes) -> None:
        """These bytes have been read."""


@dataclass
class Talk:
    """One SMTP connection: whether content is on its way, its last bytes, and what was written last."""

    content = "body"
    begins_with = 0

    in_body: bool = False
    tail: bytes = b""
    last: frozenset[str] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def labels(self, data: bytes) -> frozenset[str]:
        """What these bytes would be; several where commands are pipelined (RFC 2920)."""
        return self._read(data)[0]

    def written(self, data: bytes) -> None:
        """These bytes have been written."""
        self.last, self.in_body, self.tail = self._read(data)

    def heard(self, data: bytes) -> None:
        """These bytes have been read: content begins when the server asks for it."""
        if any(line.startswith(_AHEAD) for line in data.split(b"\r\n")):
            self.in_body, self.tail = True, b"\r\n"

    def _read(self, data: bytes) -> tuple[frozenset[str], bool, bytes]:
        found: set[str] = set()
        in_body, tail = self.in_body, self.tail
        if in_body:
            # The end may lie across two writes: `\r\n` at the end of one, `.\r\n` as the next.
            joined = tail + data
            end = joined.find(_END)
            if end < 0:
                return frozenset({"body"}), True, joined[-len(_END) :]
            if end + 2 > len(tail):
                found.add("body")
            found.add("dot")
            data, in_body, tail = joined[end + len(_END) :], False, b""
        for line in data.split(b"\r\n"):
            verb = line[:4].decode("ascii", "replace").lower()
            if verb:
                found.add(verb if verb in WRITES else "other")
        return frozenset(found), in_body, tail


_TALKS: dict[Wire, type[Heard]] = {Wire.SMTP: Talk, Wire.SENDGRID: HttpTalk}


def watch_sockets(points: Points, port: int, wire: Wire = Wire.SMTP) -> None:
    """Make every write to and read from the server at `port` a point."""
    talks: WeakKeyDictionary[socket.socket, Heard] = WeakKeyDictionary()
    begin = _TALKS[wire]
    send, sendall = socket.socket.send, socket.socket.sendall
    recv, recv_into = socket.socket.recv, socket.socket.recv_into

    def talk_of(sock: socket.socket) -> Heard | None:
        if sock not in talks:
            try:
                if sock.family != socket.AF_INET or sock.getpeername()[1] != port:
                    return None
            except OSError:
                return None
            talks[sock] = begin()
        return talks[sock]

    def write(sock: socket.socket, data: Any, *flags: int, way: Any) -> Any:
        talk = talk_of(sock)
        if talk is None:
            return way(sock, data, *flags)
        whole = bytes(data)
        labels = sorted(talk.labels(whole))
        for label in labels:
            points.reach(f"write.{label}.before")
        middle = f"write.{talk.content}.middle"
        if points.wants(middle) and talk.content in labels:
            half = len(whole) // 2
            sendall(sock, whole[:half])
            points.reach(middle)
            sendall(sock, whole[half:])
            result = len(whole) if way is send else None
        else:
            result = way(sock, data, *flags)
        talk.written(whole[:result] if way is send else whole)
        for label in labels:
            points.reach(f"write.{label}.after")
        return result

    def read(sock: socket.socket, take: Any) -> tuple[Any, Heard | None]:
        talk = talk_of(sock)
        labels = sorted(talk.last) if talk and answered(sock) else []
        for label in labels:
            points.reach(f"read.{label}.before")
        result = take()
        return result, talk

    def answered(sock: socket.socket) -> bool:
        """Whether this read is one: who never waits looks often, and mostly there is nothing."""
        if sock.gettimeout() != 0:
            return True
        try:
            recv(sock, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def told(talk: Heard | None, data: bytes) -> None:
        if talk and data:
            labels = sorted(talk.last)
            talk.heard(data)
            for label in labels:
                points.reach(f"read.{label}.after")

    def our_recv(sock: socket.socket, *arguments: Any) -> bytes:
        data, talk = read(sock, lambda: recv(sock, *arguments))
        told(talk, data)
        return bytes(data)

    def our_recv_into(sock: socket.socket, buffer: Any, *arguments: Any) -> int:
        talk = talk_of(sock)
        if talk and talk.last and talk.begins_with and points.wants("read.answer.middle"):
            size, _ = read(sock, lambda: recv_into(sock, buffer, talk.begins_with))
            if size:
                talk.begins_with = 0
                points.reach("read.answer.middle")
            return int(size)
        size, talk = read(sock, lambda: recv_into(sock, buffer, *arguments))
        told(talk, bytes(memoryview(buffer)[:size]))
        return int(size)

    socket.socket.send = lambda sock, data, *flags: write(sock, data, *flags, way=send)  # type: ignore[method-assign]
    socket.socket.sendall = lambda sock, data, *flags: write(sock, data, *flags, way=sendall)  # type: ignore[method-assign]
    socket.socket.recv = our_recv  # type: ignore[method-assign]
    socket.socket.recv_into = our_recv_into  # type: ignore[method-assign]
