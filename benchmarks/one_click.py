"""One click over the wire: 20 clients at `mlgroup-mail web`, by itself and while a dispatch sends 500 mails a second.

Each answer means that the click is on disk. The server is a process of its own, and so has one core at most.
"""

import asyncio
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select

from benchmarks import ledgers
from benchmarks.measuring import Figure
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.model import Contact, MailingRef, Message, Outcome
from mlgroup_mail.store import schema

CLIENTS, CLICKS, ROUNDS = 20, 1000, 3
SENT_A_SECOND = 500
PEOPLE = 20_000
"""Of the mailing: enough for 40 seconds."""
KEY = "k" * 32
REF = MailingRef("one-click", "issue")
_BODY = b"List-Unsubscribe=One-Click"
_LISTENING = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Paced(ledgers.Counting):
    """A mail server that takes so many a second and no more."""

    def __init__(self) -> None:
        super().__init__(20)
        self._free = time.monotonic()

    def send(
        self,
        messages: Sequence[Message],
        may_begin: MayBegin,
        *,
        more: bool = False,  # noqa: ARG002 (nothing stays in the air)
    ) -> list[Outcome]:
        """Accept all, in their time."""
        self._free = max(self._free, time.monotonic()) + len(messages) / SENT_A_SECOND
        time.sleep(max(0.0, self._free - time.monotonic()))
        return super().send(messages, may_begin)


def run() -> list[Figure]:
    """Clicks a second, with the median and the 99th percentile of the answers' times in the name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        links = _make(folder)
        with _serving(folder) as server:
            quiet = server.clicked(links)
            with _dispatching(folder) as sent:
                before = sent.value
                busy = server.clicked(links)
                mails = (sent.value - before) / busy.seconds
        _require_all(folder, 2 * CLICKS * ROUNDS)
    return [
        Figure(name=f"one click, {CLIENTS} clients: {quiet.said}", rate=quiet.rate),
        Figure(
            name=f"the same while {mails:,.0f} mails a second are sent: {busy.said}",
            rate=busy.rate,
            against="by itself",
            ratio=busy.rate / quiet.rate,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clicked:
    """What clicks took: by the clock, which others on the machine lengthen, and of the server's processor."""

    times: Sequence[float]
    seconds: float
    worked: float

    @property
    def rate(self) -> float:
        """Clicks a second."""
        return len(self.times) / self.seconds

    @property
    def said(self) -> str:
        """The median and the slowest, and the server's own work for one."""
        slowest = sorted(self.times)[int(len(self.times) * 0.99)]
        work = self.worked / len(self.times)
        return (
            f"p50 {statistics.median(self.times) * 1000:.1f} ms, p99 {slowest * 1000:.1f} ms; "
            f"of the processor {work * 1000:.2f} ms"
        )


class Server:
    """The running pages."""

    def __init__(self, process: int, port: int) -> None:
        self._process, self._port = psutil.Process(process), port

    def clicked(self, links: Iterator[str]) -> Clicked:
        """Click for some thousand people, each once, by 20 clients."""
        begun, worked = time.perf_counter(), sum(self._process.cpu_times()[:2])
        times = asyncio.run(self._click([next(links) for _ in range(CLICKS * ROUNDS)]))
        return Clicked(
            times=times,
            seconds=time.perf_counter() - begun,
            worked=sum(self._process.cpu_times()[:2]) - worked,
        )

    async def _click(self, links: Sequence[str]) -> list[float]:
        waiting = iter(links)
        times: list[float] = []
        await asyncio.gather(*[_client(self._port, waiting, times) for _ in range(CLIENTS)])
        return times


async def _client(port: int, links: Iterator[str], took: list[float]) -> None:
    """As a proxy before the pages does: one connection, one click after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for link in links:
        begun = time.perf_counter()
        writer.write(
            f"POST /opt-out/{link} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(_BODY)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode()
            + _BODY
        )
        head = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        assert found
        await reader.readexactly(int(found[1]))
        took.append(time.perf_counter() - begun)
        assert head.startswith(b"HTTP/1.1 200"), head
    writer.close()


def _make(folder: Path) -> Iterator[str]:
    """A ledger with a planned mailing; returns everybody's link."""
    people = [Contact(address=f"person{number}@example.org", source="all") for number in range(PEOPLE)]
    source = ledgers.make_ledger(folder, people)
    with closing(ledgers.open_ledger(folder)) as store:
        ledgers.approve(store, folder, source, REF)
        ledgers.plan(store, REF)
        with store.reading() as connection:
            ids = list(connection.execute(select(schema.contact.c.id)).scalars())
    tokens = OptOutTokens([KEY], topics=["newsletter"])
    return (tokens.make(TokenContent(contact_id=each, mailing_id=1, topic="newsletter")) for each in ids)


@contextmanager
def _serving(folder: Path) -> Iterator[Server]:
    settings = {
        "MLGROUP_PROJECT": str(folder),
        "MLGROUP_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "MLGROUP_SECRET_KEYS": KEY,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLGROUP_")}
    command = [sys.executable, "-m", "mlgroup_mail", "web", "--port", "0"]
    with subprocess.Popen(command, env=kept | settings, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        found = _LISTENING.search(server.stdout.readline())
        assert found
        try:
            yield Server(server.pid, int(found[1]))
        finally:
            server.terminate()


@contextmanager
def _dispatching(folder: Path) -> Iterator[Any]:
    """Yields how many have been sent, once the first have."""
    started = multiprocessing.get_context("spawn")
    sent: Any = started.Value("i", 0)
    process = started.Process(target=_dispatch, args=(folder, sent))
    process.start()
    try:
        while not sent.value and process.is_alive():
            time.sleep(0.01)
        assert process.is_alive(), "no dispatch runs beside the clicks"
        yield sent
    finally:
        process.terminate()
        process.join()


def _dispatch(folder: Path, sent: Any) -> None:
    def count(more: int) -> None:
        sent.value += more

    with closing(ledgers.open_ledger(folder)) as store:
        ledgers.send_through(store, REF, Paced(), progress=count)


def _require_all(folder: Path, clicks: int) -> None:
    """Every click was answered with 200: each must be there."""
    with closing(ledgers.open_ledger(folder)) as store, store.reading() as connection:
        kept = connection.execute(select(func.count()).select_from(schema.suppression)).scalar_one()
    assert kept == clicks, f"{clicks - kept} clicks were answered and lost"
