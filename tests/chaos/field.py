"""The field of one scenario: a project, its ledger, and the server that knows the truth."""

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tests.chaos.points import Orders, Wire
from tests.chaos.processes import Ended, Launcher, Victim
from tests.chaos.projects import LETTER, SECRET_KEY, make_project, settings_for
from tests.chaos.provider import ProviderTruth
from tests.chaos.sink import TruthSink, truth_sink
from tests.chaos.truth import Truth
from tests.servers.postgres import PostgresServer

CONSTANTS = {"BACK_OFF": 0.2}
"""Shorter than in life, so that a deferred delivery is tried again in time."""
MAIL_WINDOW = 2
"""Deliveries a connection that one claim covers over SMTP: what a death can leave in doubt (DESIGN, section 3)."""
USUAL_PATIENCE = 20.0
"""Seconds that an answer is awaited."""
PROVIDER_WINDOW = 5
"""Recipients of a request, of whom there may be a thousand in life: so few that a bound on doubt means something."""


class LedgerKind(StrEnum):
    """Which database keeps the ledger."""

    SQLITE = "SQLite"
    """The embedded default."""
    POSTGRESQL = "PostgreSQL"
    """The shared one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A project whose mailing is approved, and the same planned; on PostgreSQL with a database of its own each."""

    approved: Path
    planned: Path
    databases: dict[Path, str]


class Fields:
    """Makes fields: what all scenarios of a run share."""

    def __init__(self, launcher: Launcher, folder: Path, postgres: PostgresServer | None) -> None:
        self.launcher = launcher
        self.postgres = postgres
        self._folder = folder
        self._templates: dict[LedgerKind, Template] = {}
        self._made = 0

    @contextmanager
    def field(
        self,
        kind: LedgerKind,
        *,
        planned: bool,
        wire: Wire = Wire.SMTP,
        connections: int = 1,
        pipelining: bool = False,
        window: int = PROVIDER_WINDOW,
    ) -> "Iterator[Field]":
        """A field of its own, gone when the context ends.

        `connections` and `pipelining` are about SMTP; `window`, how many recipients a request has, about the provider.
        """
        template = self._template(kind)
        source = template.planned if planned else template.approved
        self._made += 1
        folder = self._folder / f"field-{self._made}"
        with ExitStack() as stack:
            folder.mkdir()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            shutil.copytree(source, folder / "project")
            database = ""
            if kind is LedgerKind.POSTGRESQL:
                database = stack.enter_context(self._copied(template.databases[source], f"chaos_{self._made}"))
            truth: TruthSink | ProviderTruth
            if wire is Wire.SMTP:
                truth = TruthSink(folder / "truth.jsonl", pipelining=pipelining)
            else:
                truth = ProviderTruth(folder, window=window)
            stack.callback(truth.close)
            field = Field(
                self.launcher,
                kind=kind,
                folder=folder,
                database=database,
                truth=truth,
                connections=connections,
                window=MAIL_WINDOW * connections if wire is Wire.SMTP else window,
                stranger=self.stranger,
                postgres=self.postgres,
            )
            stack.callback(field.end_all)
            yield field

    def _template(self, kind: LedgerKind) -> Template:
        if kind not in self._templates:
            self._templates[kind] = self._make(kind)
            self._rehearse(self._templates[kind])
        return self._templates[kind]

    def _make(self, kind: LedgerKind) -> Template:
        approved, planned = (self._folder / f"{kind}-{name}" for name in ("approved", "planned"))
        databases = dict.fromkeys((approved, planned), "")
        if kind is LedgerKind.POSTGRESQL:
            databases = {path: f"template_{path.name.rpartition('-')[2]}" for path in databases}
            self._order(f"create database {databases[approved]}")
        make_project(approved)
        self._run(approved, databases[approved], "db", "upgrade")
        self._run(approved, databases[approved], "contacts", "pull")
        self._run(approved, databases[approved], "approve", LETTER, "--by", "the editor")
        shutil.copytree(approved, planned)
        if kind is LedgerKind.POSTGRESQL:
            self._order(f"create database {databases[planned]} template {databases[approved]}")
        self._run(planned, databases[planned], "plan", LETTER)
        return Template(approved=approved, planned=planned, databases=databases)

    def stranger(self) -> Path:
        """The same project, approved, with a ledger of its own: as on a second laptop that began anew."""
        folder = self._folder / "stranger"
        if not folder.exists():
            make_project(folder)
            self._run(folder, "", "contacts", "pull")
            self._run(folder, "", "approve", LETTER, "--by", "the editor")
        return folder

    def _rehearse(self, template: Template) -> None:
        """Once through the usual commands: a victim then starts in a tenth of a second."""
        if template.databases[template.planned]:
            return
        folder = Path(tempfile.mkdtemp(prefix="rehearsing-", dir=self._folder))
        shutil.copytree(template.planned, folder / "project")
        with truth_sink(folder) as sink:
            settings = settings_for(sink)
            for arguments in (("-v", "send", LETTER, "--live", "--json"), ("verify",)):
                ended = self.launcher.start(
                    arguments,
                    folder=folder / "project",
                    traces=folder,
                    settings=settings,
                    orders=Orders(),
                    rehearsal=True,
                ).wait()
                assert ended.code == 0, ended.err

    def _run(self, project: Path, database: str, *arguments: str) -> None:
        traces = Path(tempfile.mkdtemp(prefix="making-", dir=self._folder))
        settings = {"MLGROUP_SECRET_KEYS": SECRET_KEY}
        if database:
            assert self.postgres
            settings["MLGROUP_DATABASE_URL"] = self.postgres.url(database)
        ended = self.launcher.start(arguments, folder=project, traces=traces, settings=settings, orders=Orders()).wait()
        assert ended.code == 0, f"{arguments}: {ended.out}{ended.err}"

    @contextmanager
    def _copied(self, template: str, name: str) -> Iterator[str]:
        assert self.postgres
        self._order(f"create database {name} template {template}")
        # Else a copied sequence goes back to where it was when the server dies: what it gives out until the next
        # checkpoint is not logged (PostgreSQL 15, seen).
        self._order("checkpoint")
        try:
            yield self.postgres.url(name)
        finally:
            self._order(f"drop database {name} with (force)")

    def _order(self, statement: str) -> None:
        import psycopg

        assert self.postgres
        url = self.postgres.url("postgres").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())


class Field:
    """One scenario's project, ledger and server."""

    def __init__(
        self,
        launcher: Launcher,
        *,
        kind: LedgerKind,
        folder: Path,
        database: str,
        truth: TruthSink | ProviderTruth,
        connections: int,
        window: int,
        stranger: Callable[[], Path],
        postgres: PostgresServer | None,
    ) -> None:
        self.kind, self.connections = kind, connections
        self.window = window
        """How many deliveries one claim covers, and so one death leaves in doubt."""
        self._truth = truth
        self.project = folder / "project"
        self.traces = folder / "traces"
        self.answer_timeout = USUAL_PATIENCE
        self.plant = ""
        """A fault of the product, for the harness's own tests."""
        self.problems: list[str] = []
        """What was wrong already while it was played."""
        self.in_order = 0
        """How many of those that were to die have ended in good order instead, and so left nothing in doubt."""
        self.opted_out: dict[str, bool] = {}
        """Who opted out, and whether that was before anything was sent."""
        self.stranger = stranger
        self.postgres = postgres
        self._launcher, self._database = launcher, database
        self._victims: list[Victim] = []

    @property
    def truth(self) -> Truth:
        """The server at the other end."""
        return self._truth

    @property
    def sink(self) -> TruthSink:
        """That server where it is a mail server."""
        assert isinstance(self._truth, TruthSink)
        return self._truth

    @property
    def provider(self) -> ProviderTruth:
        """That server where it is a provider."""
        assert isinstance(self._truth, ProviderTruth)
        return self._truth

    @property
    def wire(self) -> Wire:
        """What is spoken with it."""
        return Wire.SMTP if isinstance(self._truth, TruthSink) else Wire.SENDGRID

    @property
    def url(self) -> str:
        """The ledger, as SQLAlchemy writes it."""
        return self._database or f"sqlite:///{self.ledger_file}"

    @property
    def ledger_file(self) -> Path:
        """SQLite's."""
        return self.project / "var" / "mlgroup.db"

    def settings(self) -> dict[str, str]:
        return settings_for(
            self._truth,
            smtp_answer_timeout=self.answer_timeout,
            smtp_connections=self.connections,
            sendgrid_answer_timeout=self.answer_timeout,
            **({"database_url": self._database} if self._database else {}),
        )

    def start(
        self,
        *arguments: str,
        orders: Orders | None = None,
        project: Path | None = None,
        own_ledger: bool = False,
        **more: str,
    ) -> Victim:
        """Start a command in the project, or in a copy of it; `more` settings by the names of their variables."""
        orders = orders or Orders()
        settings = self.settings() | more
        if own_ledger:
            settings.pop("MLGROUP_DATABASE_URL", None)
        constants = {**CONSTANTS, **orders.constants}
        if self.wire is Wire.SENDGRID:
            constants["MOST_PEOPLE"] = self.window
        marked = replace(orders, wire=self.wire, port=self._truth.port, constants=constants, plant=self.plant)
        victim = self._launcher.start(
            arguments, folder=project or self.project, traces=self.traces, settings=settings, orders=marked
        )
        self._victims.append(victim)
        return victim

    def send(self, orders: Orders | None = None) -> Victim:
        """`send --live`, with everything that it does in its log."""
        return self.start("-v", "send", LETTER, "--live", "--json", orders=orders)

    def dispatch(self, orders: Orders | None = None) -> Victim:
        """`dispatch --live`, the same."""
        return self.start("-v", "dispatch", "--live", "--json", orders=orders)

    def opt_out(self, address: str, *, beforehand: bool) -> Victim:
        """`opt-out add`, begun; `beforehand`: it ends before anything is sent."""
        self.opted_out[address] = beforehand
        return self.start("-v", "opt-out", "add", address, "--reason", "no more, please")

    def run(self, *arguments: str) -> Ended:
        """A command from beginning to end, undisturbed."""
        return self.start(*arguments).wait()

    def logs(self) -> Iterator[tuple[str, str]]:
        """(command, what it has logged), and what `send` and `dispatch` have printed."""
        for folder in sorted(self.traces.iterdir()):
            yield folder.name, (folder / "err").read_text(encoding="utf-8", errors="replace")
            if folder.name.endswith(("-send", "-dispatch")):
                yield folder.name, (folder / "out").read_text(encoding="utf-8", errors="replace")

    def end_all(self) -> None:
        """Leave no process behind."""
        for victim in self._victims:
            if not victim.over:
                victim.signal(signal.SIGKILL)
                victim.wait()


@contextmanager
def fields(launcher: Launcher, postgres: PostgresServer | None) -> Iterator[Fields]:
    """Fields in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="mlgroup-chaos-"))
    try:
        yield Fields(launcher, folder, postgres)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
