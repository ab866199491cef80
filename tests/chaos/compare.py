"""The same deaths for other ways of sending: the loop that everybody writes first, and django-post_office.

Each scenario: a list of fictional people, one death at a labelled point, then the same command again, undisturbed.
What each recipient got is read from the truth, and what the sender believes from its own books.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from mlgroup_mail import __version__
from mlgroup_mail.cli.output import say, show_table
from mlgroup_mail.cli.progress_bar import progress_bar
from tests.chaos.field import Fields, LedgerKind, fields
from tests.chaos.judge import judge
from tests.chaos.points import READS, VARIABLE, WRITES, Orders
from tests.chaos.processes import ROOT, launcher
from tests.chaos.projects import PEOPLE, everybody
from tests.chaos.sink import truth_sink
from tests.docs.pages import generated, marks

PAGE = ROOT / "docs" / "chaos.md"
PEER = "django-post-office"
_HERE = Path(__file__).parent / "contenders"
_PATIENCE = 120

COLUMNS = (
    "sender",
    "version",
    "deaths",
    "should arrive",
    "arrived",
    "twice",
    "unknown to anybody",
    "in doubt, and told so",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What came of one scenario, or of all of a sender's."""

    deaths: int = 0
    people: int = 0
    arrived: int = 0
    doubled: int = 0
    lost: int = 0
    """Neither arrived nor told by the sender to be open, refused or in doubt."""
    doubt: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in Tally.__slots__})


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """One way of sending."""

    name: str
    version: str
    play: Callable[[Orders], Tally]


def deaths(seed: int) -> Iterator[Orders]:
    """One death each: before and after every write and read, early, in the middle and late."""
    draw = Random(seed)
    points = [
        *(f"write.{what}.{side}" for what in WRITES for side in ("before", "after")),
        *(f"read.{what}.{side}" for what in READS for side in ("before", "after")),
    ]
    for point in points:
        for first, last in ((1, 4), (8, 14), (18, 22)):
            yield Orders(point=point, count=draw.randint(first, last))


def compare(*, seed: int) -> int:
    """Play all of them, show the table and write it into the page; 1 where the peer cannot be had."""
    folder = Path(tempfile.mkdtemp(prefix="mlgroup-compare-"))
    try:
        peer, missing = _peer(folder)
        with launcher() as victims, fields(victims, None) as made:
            senders = [
                Sender(name="mlgroup-mail", version=__version__, play=lambda orders: _ours(made, orders)),
                Sender(
                    name="the naive loop",
                    version=f"smtplib of Python {sys.version.split()[0]}",
                    play=lambda orders: _Script(folder, Path(sys.executable), "naive.py").play(orders),
                ),
                *([peer] if peer else []),
            ]
            rows = [_row(sender, list(deaths(seed))) for sender in senders]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if missing:
        rows.append([PEER, missing, *[""] * (len(COLUMNS) - 2)])
    show_table(COLUMNS, rows)
    if missing:
        say(f"{PEER} was not played, and {PAGE.name} keeps its table: {missing}")
    else:
        _write(rows, seed)
    return int(bool(missing))


def _row(sender: Sender, orders: Sequence[Orders]) -> list[object]:
    total = Tally()
    with progress_bar(sender.name, total=len(orders)) as tell:
        for each in orders:
            total += sender.play(each)
            tell(advance=1)
    return [
        sender.name,
        sender.version,
        total.deaths,
        total.people,
        total.arrived,
        total.doubled,
        total.lost,
        total.doubt,
    ]


def _ours(made: Fields, orders: Orders) -> Tally:
    with made.field(LedgerKind.SQLITE, planned=True, connections=1, pipelining=False) as field:
        victim = field.send(orders)
        victim.wait()
        died = int(victim.reached)
        verdict = judge(field, deaths=died)
    assert not verdict.problems, verdict.problems
    return Tally(
        deaths=died,
        people=PEOPLE,
        arrived=verdict.arrived,
        doubled=verdict.doubled,
        lost=verdict.lost,
        doubt=verdict.uncertain,
    )


class _Script:
    """A sender that is a script with a SQLite database."""

    def __init__(self, folder: Path, python: Path, script: str) -> None:
        self._folder, self._python, self._script = folder, python, _HERE / script

    def play(self, orders: Orders) -> Tally:
        field = Path(tempfile.mkdtemp(dir=self._folder))
        with truth_sink(field) as sink:
            database = field / "books.db"
            self._prepare(database, field)
            died = self._run(database, field, replace(orders, port=sink.port, marks=str(field)))
            self._run(database, field, Orders(port=sink.port, marks=str(field)))
            arrived = Counter(each.recipient for each in sink.arrivals())
            missing = [address for address in everybody() if not arrived[address]]
            still_open = self._open(database)
        shutil.rmtree(field)
        return Tally(
            deaths=int(died),
            people=PEOPLE,
            arrived=len(arrived),
            doubled=sum(1 for count in arrived.values() if count > 1),
            lost=sum(1 for address in missing if address not in still_open),
        )

    def _prepare(self, database: Path, field: Path) -> None:
        connection = sqlite3.connect(database)
        connection.execute("CREATE TABLE person (address TEXT PRIMARY KEY, sent INTEGER NOT NULL DEFAULT 0)")
        connection.executemany("INSERT INTO person (address) VALUES (?)", [(address,) for address in everybody()])
        connection.commit()
        connection.close()

    def _open(self, database: Path) -> set[str]:
        """Whom its books still call open."""
        return self._asked(database, "SELECT address FROM person WHERE sent = 0")

    def _asked(self, database: Path, query: str) -> set[str]:
        connection = sqlite3.connect(database)
        try:
            return {row[0] for row in connection.execute(query)}
        finally:
            connection.close()

    def _arguments(self, database: Path, port: int) -> list[str]:
        return [str(database), str(port)]

    def _run(self, database: Path, field: Path, orders: Orders) -> bool:
        """Run it; whether it was killed."""
        ended = self._start(field, orders, self._arguments(database, orders.port))
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode(errors="replace")[-2000:]
        return ended.returncode != 0

    def _start(self, field: Path, orders: Orders, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self._python), "-m", "tests.chaos.victim", "script", str(self._script), *arguments],
            check=False,
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", os.defpath), "TMPDIR": str(field), VARIABLE: orders.as_text()},
            capture_output=True,
            timeout=_PATIENCE,
        )


class _PostOffice(_Script):
    """django-post_office in an environment of its own."""

    def _prepare(self, database: Path, field: Path) -> None:
        model = self._folder / "queue.db"
        if not model.exists():
            addresses = field / "addresses"
            addresses.write_text("\n".join(everybody()), encoding="utf-8")
            ended = self._start(field, Orders(marks=str(field)), [str(model), "0", "prepare", str(addresses)])
            assert ended.returncode == 0, ended.stderr.decode(errors="replace")[-2000:]
        shutil.copy(model, database)

    def _arguments(self, database: Path, port: int) -> list[str]:
        return [str(database), str(port), "send"]

    def _open(self, database: Path) -> set[str]:
        # Its states: 0 sent, 1 failed, 2 queued, 3 to be tried again.
        return self._asked(database, 'SELECT "to" FROM post_office_email WHERE status <> 0 OR status IS NULL')


def _peer(folder: Path) -> tuple[Sender | None, str]:
    """The peer, installed where it can be had; else why it cannot."""
    home = folder / "peer"
    python = home / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
        if done.returncode:
            return None, f"it cannot be installed here: {(done.stderr or done.stdout).strip().splitlines()[-1][:120]}"
    version = f"{_version(python, PEER)}, Django {_version(python, 'Django')}"
    return Sender(name=PEER, version=version, play=_PostOffice(folder, python, "django_queue.py").play), ""


def _version(python: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _write(rows: Sequence[Sequence[object]], seed: int) -> None:
    """Put the table between its marks."""
    table = [
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows),
        "",
        f"Written by `python -m tests.chaos compare --seed {seed}`.",
        "",
        "",
    ]
    page = PAGE.read_text(encoding="utf-8")
    begin, end = marks("comparison")
    old = f"{begin}{generated(page, 'comparison')}{end}"
    PAGE.write_text(page.replace(old, begin + "\n".join(table) + end), encoding="utf-8")
