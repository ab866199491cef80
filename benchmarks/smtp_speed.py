"""The whole way of a mailing over SMTP, against Postfix's own load generator and against the loop that people write.

Measured is the command `send --live` as a process of its own: start-up, claims, opt-outs, merging, SQLite with full
durability; only planning is done before. `smtp-source -d` writes one prepared message again and again over as many
connections into the same server. `python -m benchmarks.smtp_speed 50000` takes more messages than `make bench` does.
"""

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.measuring import ROUNDS, Figure, Way, compare
from benchmarks.smtp_steps.postfix import NoPostfix, running_postfix
from mlgroup_mail.cli.progress_bar import progress_bar
from mlgroup_mail.shipped import shipped
from tests.servers.certificates import make_certificate
from tests.servers.programs import ServerMissing, find_program
from tests.servers.smtp_sink import run_counting_sink

MESSAGES = 5_000
CONNECTIONS = 10
LOOPED = 100
"""The loop that people write takes so many."""
_PARAGRAPHS = 17
"""So many make a message of 30 kB."""
_LOGO = re.compile(r"(?ms)^\[\[theme\.logo\]\].*?(?=^\[)")
_HOST = "127.0.0.1"
_CONTACTS = """\
[[source]]
name = "members"
path = "members.csv"
columns = { email = "Email", name = "Name" }
defaults = { status = "member" }

[segment.members]
status = "member"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Server:
    name: str
    port: int
    certificate: Path | None = None


def run(messages: int = MESSAGES) -> list[Figure]:
    """Messages a second into each server that can be had here; none where Postfix's tools are not installed."""
    try:
        source = find_program("smtp-source", "smtp-source")
    except ServerMissing:
        return []
    with tempfile.TemporaryDirectory(prefix="mlgroup-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        servers = list(_servers(stack, folder))
        with progress_bar("planning for the benchmark of SMTP", total=len(servers)) as tell:
            letters = [_Letters(folder / f"project-{number}", messages) for number in range(len(servers))]
            for each in letters:
                each.plan()
                tell(advance=1)
        figures = []
        for server, ours in zip(servers, letters, strict=True):
            ways = [
                Way(name=f"sent into {server.name}", count=messages, work=partial(ours.send, server)),
                Way(name=f"the loop, into {server.name}", count=LOOPED, work=partial(_loop, server)),
            ]
            if not server.certificate:  # which smtp-source does not speak
                generator = partial(_source, source, server, messages, ours.size)
                ways.append(Way(name=f"smtp-source -d, into {server.name}", count=messages, work=generator))
            figures += compare(ways)
        return figures


def _servers(stack: ExitStack, folder: Path) -> Iterator[_Server]:
    """smtp-sink, and where it can be started a Postfix that discards, with and without TLS."""
    yield _Server(name="smtp-sink", port=stack.enter_context(run_counting_sink()))
    certificate = make_certificate(folder)
    try:
        port = stack.enter_context(running_postfix(certificate))
    except (NoPostfix, ServerMissing) as why:
        sys.stderr.write(f"without Postfix: {why}\n")
        return
    yield _Server(name="Postfix", port=port)
    yield _Server(name="Postfix over TLS", port=port, certificate=certificate)


class _Letters:
    """A project with a mailing for each round, planned."""

    def __init__(self, folder: Path, messages: int) -> None:
        self._folder = folder
        self._refs = iter(range(ROUNDS))
        (folder / "contacts").mkdir(parents=True)
        (folder / "campaigns" / "letter").mkdir(parents=True)
        settings = shipped("mlgroup.toml").read_text(encoding="utf-8")
        # Without pictures: they would be most of the message.
        (folder / "mlgroup.toml").write_text(_LOGO.sub("", settings), encoding="utf-8")
        (folder / "contacts" / "contacts.toml").write_text(_CONTACTS, encoding="utf-8")
        with (folder / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [(f"person{number}@office{number % 500}.example", f"Person {number}") for number in range(messages)]
            csv.writer(file).writerows([("Email", "Name"), *rows])
        (folder / "campaigns" / "letter" / "campaign.md").write_text(_campaign(), encoding="utf-8")

    def plan(self) -> None:
        """Everything but sending."""
        self._run("contacts", "pull", "--accept-changes")
        for number in range(ROUNDS):
            self._run("approve", f"letter/round-{number}", "--by", "the benchmark")
            self._run("plan", f"letter/round-{number}")

    @property
    def size(self) -> int:
        """Bytes of one message."""
        self._run("preview", "letter/round-0", "--out", str(self._folder / "shown"))
        return next((self._folder / "shown").rglob("*.eml")).stat().st_size

    def send(self, server: _Server) -> None:
        """Send the next round's mailing."""
        tls = {"SMTP_TLS": "starttls", "SMTP_CA_FILE": str(server.certificate)} if server.certificate else {}
        self._run(
            "send",
            f"letter/round-{next(self._refs)}",
            "--live",
            SMTP_HOST="localhost" if server.certificate else _HOST,
            SMTP_PORT=str(server.port),
            **{"SMTP_TLS": "none", **tls},
        )

    def _run(self, *arguments: str, **settings: str) -> None:
        environment = {
            "TRANSPORT": "smtp",
            "ENVIRONMENT": "production",
            "SECRET_KEYS": "benchmark-key-0123456789-0123456789",
            "PUBLIC_URL": "https://news.example.org",
            "SMTP_CONNECTIONS": str(CONNECTIONS),
            # As `smtp-source -d`, which never makes one anew.
            "SMTP_MESSAGES_PER_CONNECTION": "1000000",
            "BATCH_SIZE": "10000",
            **settings,
        }
        program = Path(sys.executable).with_name("mlgroup-mail")
        command = [str(program), "--project", str(self._folder), *arguments]
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**self._as_installed, **{f"MLGROUP_{name}": value for name, value in environment.items()}},
        )

    @property
    def _as_installed(self) -> dict[str, str]:
        """The environment of a program whose modules are compiled already: planning does that here."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**kept, "PYTHONPYCACHEPREFIX": str(self._folder.parent / "compiled")}


def _campaign() -> str:
    sent = datetime.now(UTC) - timedelta(minutes=10)
    rounds = "\n".join(
        f'[[mailing]]\nname = "round-{number}"\nsend_at = "{sent:%Y-%m-%d %H:%M} UTC"\n' for number in range(ROUNDS)
    )
    paragraphs = "\n\n".join(
        f"## Item {number}\n\nThe group met {number + 3} times and looked at how models sort answers to surveys; "
        f"the notebook is at <https://news.example.org/item/{number}>."
        for number in range(_PARAGRAPHS)
    )
    return (
        '+++\nkind = "newsletter"\ntopic = "newsletter"\nsubject = "News"\npreheader = "What is new"\n'
        f'sender = "newsletter"\naudience = "members"\n\n{rounds}+++\n'
        f'Dear {{{{ recipient.first_name | default("colleague") }}}},\n\n{paragraphs}\n'
    )


def _source(program: Path, server: _Server, messages: int, size: int) -> None:
    """Postfix's load generator: the same count, size and number of connections.

    `-N` gives each an address of its own, as ours have: for one alone a server's caches would always be right
    (smtp-source(1)), which spares a Postfix a tenth of its work.
    """
    subprocess.run(
        [
            *(program, "-d", "-N", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(size)),
            *("-f", "news@example.org", "-t", "person@office.example", f"{_HOST}:{server.port}"),
        ],
        check=True,
    )


def _loop(server: _Server) -> None:
    subprocess.run(
        [sys.executable, "-m", "benchmarks.smtp_steps.loop", str(server.port), str(LOOPED), str(_PARAGRAPHS)]
        + ([str(server.certificate)] if server.certificate else []),
        check=True,
        cwd=Path(__file__).parents[1],
    )


if __name__ == "__main__":
    for figure in run(*map(int, sys.argv[1:])):
        against = f", {figure.ratio:.2f} of {figure.against}" if figure.ratio else ""
        print(f"{figure.name}: {figure.rate:,.0f} a second{against}")
