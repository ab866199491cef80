"""Lines in and out of one connection of our own SMTP server."""

from __future__ import annotations

import contextlib
import socket
from typing import BinaryIO


class Hangup(Exception):
    """This connection is over."""


class Conversation:
    """Lines in and out of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.go_on_with(connection)

    def go_on_with(self, connection: socket.socket) -> None:
        """What follows comes over this connection, which is the secured one after STARTTLS."""
        self.connection = connection
        self._file: BinaryIO = connection.makefile("rb")

    def close(self) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def send(self, raw: bytes) -> None:
        self.connection.sendall(raw)

    def say(self, reply: str) -> None:
        self.send(reply.encode() + b"\r\n")

    def ask(self, reply: str) -> str:
        self.say(reply)
        return self.hear()

    def hear_raw(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise Hangup
        return line

    def hear(self) -> str:
        return self.hear_raw().decode("utf-8", "replace").rstrip("\r\n")


def address_in(line: str) -> str:
    """The address between the brackets of MAIL or RCPT."""
    return line[line.index("<") + 1 : line.index(">")]
