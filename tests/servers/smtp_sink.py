"""Postfix's smtp-sink: a real SMTP server that takes everything and writes down what it has accepted."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.servers.processes import HOST, running, server_account, temporary_folder
from tests.servers.programs import find_program

NAME = "smtp-sink"

_ENVELOPE = re.compile(rb"(?P<records>(?:X-[A-Za-z]+-(?:Addr|Proto|Args): .*\n)+)Received: .*\n(?:\t.*\n)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class SinkMessage:
    """One accepted transaction, as smtp-sink has dumped it: lines end in LF and dots are unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpSink:
    """A running smtp-sink."""

    host: str
    port: int
    dump: Path
    separator: str

    def messages(self) -> list[SinkMessage]:
        """Every transaction accepted so far, in order; none that broke off before its final dot."""
        if not self.dump.exists():
            return []
        _, *pieces = self.dump.read_bytes().split(f"{self.separator}\n".encode())
        return [_parse(piece) for piece in pieces]

    def recipients(self) -> Counter[str]:
        """How many messages each address has been sent."""
        return Counter(address for message in self.messages() for address in message.recipients)


def _parse(piece: bytes) -> SinkMessage:
    envelope = _ENVELOPE.match(piece)
    assert envelope, f"smtp-sink's dump has a new format: {piece[:200]!r}"
    records = [line.partition(": ") for line in envelope["records"].decode().splitlines()]
    # smtp-sink ends each dumped message with an empty line of its own.
    return SinkMessage(
        sender=next(_address(value) for name, _, value in records if name == "X-Mail-Args"),
        recipients=tuple(_address(value) for name, _, value in records if name == "X-Rcpt-Args"),
        content=piece[envelope.end() :].removesuffix(b"\n"),
    )


def _address(arguments: str) -> str:
    """The address alone, without the ESMTP parameters that may follow it."""
    return arguments[arguments.index("<") + 1 : arguments.index(">")]


@contextlib.contextmanager
def run_smtp_sink(*options: str) -> Iterator[SmtpSink]:
    """A running smtp-sink; `options` as in its manual, such as `"-w", "2"` to answer DATA after 2 s."""
    program = find_program(NAME, "smtp-sink")
    account = server_account()
    separator = f"=== {secrets.token_hex(16)}"
    with temporary_folder(NAME, account) as folder:
        dump = folder / "accepted"
        # Started by root, smtp-sink opens its port and then becomes the account itself.
        privileges = ["-u", account.name] if os.geteuid() == 0 else []
        arguments = [str(program), *privileges, "-S", f"{separator}\\n", "-D", str(dump), *options]
        with running(lambda port: [*arguments, f"{HOST}:{port}", "100"], folder=folder) as port:
            yield SmtpSink(host=HOST, port=port, dump=dump, separator=separator)


@contextlib.contextmanager
def run_counting_sink() -> Iterator[int]:
    """The port of an smtp-sink that writes nothing down: for measuring how fast something sends."""
    program = find_program(NAME, "smtp-sink")
    account = server_account()
    with temporary_folder(NAME, account) as folder:
        privileges = ["-u", account.name] if os.geteuid() == 0 else []
        with running(lambda port: [str(program), *privileges, f"{HOST}:{port}", "100"], folder=folder) as port:
            yield port
