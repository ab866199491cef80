"""Projects to send from, the command line as a process of its own, and a mail server that can be made to wait."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.shipped import shipped
from tests.servers.faults import Phase
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.smtp_sink import SmtpSink

ISSUE = "2021-10-newsletter/issue"
LETTER = "letter/issue"
SECRET_KEY = "a-key-for-tests-and-nothing-else-0123456789"
_PARTS = ("mlgroup.toml", "campaigns", "contacts", "templates")
_ADDRESS = re.compile(r"(?:mailto:|.*<)?([\w+'-]+(?:\.[\w+'-]+)*@[\w-]+(?:\.[\w-]+)+)>?")

CONTACTS_TOML = """\
[[source]]
name = "members"
path = "members.csv"
columns = { email = "Email", name = "Name", topics = "Topics" }
defaults = { status = "member" }

[segment.members]
status = "member"

[segment.board]
status = "board"
"""

CAMPAIGN = """\
+++
kind = "newsletter"
topic = "newsletter"
subject = "News"
preheader = "What is new"
sender = "newsletter"
audience = "members"

[[mailing]]
name = "issue"
send_at = "2021-11-02 09:00 Europe/London"
+++
Dear {{ recipient.first_name | default("colleague") }}, there is news for {{ group.members }} members.
"""


def person(number: int) -> str:
    """The address of person `number` of the small project."""
    return f"person{number}@office.example"


def sample_project(root: Path) -> Path:
    """The sample group's project, as it lies in the repository, with a secret key."""
    root.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        source = shipped(part)
        if source.is_dir():
            shutil.copytree(source, root / part)
        else:
            shutil.copy(source, root / part)
    return _with_key(root)


def small_project(root: Path, people: int = 6) -> Path:
    """A group of a few people and one letter to them, all of them fictional."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(shipped("mlgroup.toml"), root / "mlgroup.toml")
    (root / "contacts").mkdir()
    (root / "contacts" / "contacts.toml").write_text(CONTACTS_TOML, encoding="utf-8")
    write_list(root, [(person(number), f"Person Number{number}", "") for number in range(1, people + 1)])
    (root / "campaigns" / "letter").mkdir(parents=True)
    (root / "campaigns" / "letter" / "campaign.md").write_text(CAMPAIGN, encoding="utf-8")
    return _with_key(root)


def write_list(root: Path, people: Sequence[tuple[str, str, str]]) -> None:
    """Write the small project's list: address, name, topics."""
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Email", "Name", "Topics"), *people])


def newsletter_readers(root: Path) -> set[str]:
    """Who should get the sample newsletter, read from the sample files by other means than the product's."""
    with (root / "contacts" / "sample-members.csv").open(encoding="utf-8", newline="") as file:
        members = list(csv.DictReader(file))
    with (root / "contacts" / "opt-outs" / "sample-opt-outs.csv").open(encoding="utf-8", newline="") as file:
        opted_out = {row["address"].lower() for row in csv.DictReader(file) if row["topic"] in {"", "newsletter"}}
    readers, others = set(), set()
    for row in members:
        # A domain whose letters are of two scripts only looks like one of the list's.
        if (address := _ADDRESS.fullmatch(row["Email"].strip())) and address[1].isascii():
            known = (row["Status"].lower() or "member") in {"member", "lead"}
            chosen = not row["Topics"] or "newsletter" in row["Topics"]
            (readers if known and chosen else others).add(address[1].lower())
    return readers - others - opted_out


def _with_key(root: Path) -> Path:
    (root / ".env").write_text(f"MLGROUP_SECRET_KEYS={SECRET_KEY}\n", encoding="utf-8")
    return root


def through(server: SmtpSink | FaultySmtp, **more: object) -> dict[str, str]:
    """The settings that send through this server, in its own words: `through(sink, batch_size=2)`."""
    values = {"transport": "smtp", "smtp_host": server.host, "smtp_port": server.port, "smtp_tls": "none", **more}
    return {f"MLGROUP_{name.upper()}": str(value) for name, value in values.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What a process left."""

    code: int
    out: str
    err: str


class Command:
    """`mlgroup-mail` as a process of its own, in a project's directory."""

    def __init__(self, root: Path, *arguments: str, settings: dict[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLGROUP_", "PREFECT_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlgroup_mail", *arguments],
            cwd=root,
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> Ended:
        """Wait for it; how long it takes says nothing on a busy machine."""
        out, err = self._process.communicate(timeout=600)
        return Ended(code=self._process.returncode, out=out, err=err)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGINT is Ctrl-C."""
        self._process.send_signal(number)

    def wait_until_it_says(self, words: str) -> None:
        """Wait for a line with these words on its standard error. What it said until then is not told at its end."""
        assert self._process.stderr
        said = []
        while words not in (line := self._process.stderr.readline()):
            said.append(line)
            assert line, f"it ended, having said: {said}"

    def kill(self) -> None:
        """Take its life as a power cut would, and wait until it is gone."""
        self._process.kill()
        self._process.communicate(timeout=60)


@contextmanager
def command(root: Path, *arguments: str, settings: dict[str, str]) -> Iterator[Command]:
    """A started command that does not outlive its test."""
    started = Command(root, *arguments, settings=settings)
    try:
        yield started
    finally:
        started.kill()


class GatedSmtp(FaultySmtp):
    """A mail server that waits at one point of the conversation until the test has done something else."""

    def __init__(self, phase: Phase, to: str) -> None:
        """It waits at `phase` of the first message to the address `to`."""
        self._gate, self._to = phase, to
        self._reached, self._open = threading.Event(), threading.Event()
        super().__init__()

    def wait_until_reached(self) -> None:
        """Wait until the client is at the gate."""
        assert self._reached.wait(60), "the message never came"

    def open_gate(self) -> None:
        """Let it go on."""
        self._open.set()

    def stop(self) -> None:
        """End every conversation."""
        self._open.set()
        super().stop()

    def _fail(self, phase: Phase, talk: object, line: str = "") -> bool:
        if phase is self._gate and self._to in line:
            self._reached.set()
            self._open.wait(60)
        return super()._fail(phase, talk, line)  # type: ignore[arg-type]


@contextmanager
def gated_smtp(phase: Phase, to: str) -> Iterator[GatedSmtp]:
    """The running server."""
    server = GatedSmtp(phase, to)
    try:
        yield server
    finally:
        server.stop()
