"""The ledger's share: dispatch with a transport that only counts, on SQLite with full durability."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import ROUNDS, Figure, Way, compare
from benchmarks.project import sample_source
from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.contacts.segment_rules import SegmentRule
from mlgroup_mail.contacts.segments import make_segment
from mlgroup_mail.content.pictures.image_files import read_pictures
from mlgroup_mail.delivery import approving, planning, sending
from mlgroup_mail.delivery.merging import Links
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.model import Contact, MailingRef, Message, Outcome, OutcomeKind
from mlgroup_mail.settings.project import Group, read_project
from mlgroup_mail.store import Store
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.mailings import find_mailing
from mlgroup_mail.store.upgrade import upgrade

PEOPLE = 4000
_AT = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)


class Counting:
    """A transport that takes everything."""

    name = "counting"

    def __init__(self, window: int) -> None:
        self.window = window

    def open(self) -> None:
        """Nothing to open."""

    def ready(self) -> bool:
        """Always."""
        return True

    def send(self, messages: Sequence[Message], may_begin: MayBegin) -> list[Outcome]:
        """Accept all."""
        return [
            Outcome(attempt_id=message.attempt_id, kind=OutcomeKind.ACCEPTED) for message in messages if may_begin()
        ]

    def close(self) -> None:
        """Nothing to close."""


def run() -> list[Figure]:
    """People planned a second, and deliveries dispatched a second with windows of 2 (SMTP) and 20."""
    with tempfile.TemporaryDirectory() as name:
        bench = _Bench(Path(name))
        return compare(
            [
                Way(name="people planned", count=PEOPLE, work=lambda: bench.plan("small")),
                Way(name="deliveries, windows of 20", count=PEOPLE, work=lambda: bench.send("small", 20)),
                Way(name="people planned, again", count=PEOPLE, work=lambda: bench.plan("large")),
                Way(name="deliveries, windows of 2", count=PEOPLE, work=lambda: bench.send("large", 2)),
            ]
        )


class _Bench:
    def __init__(self, folder: Path) -> None:
        self.source = sample_source(folder)
        self.pictures = read_pictures(read_project(folder), self.source)
        self.store = Store(f"sqlite:///{folder / 'ledger.db'}", state=folder)
        self.clock = FixedClock(_AT)
        upgrade(self.store, now=_AT)
        people = [Contact(address=f"person{number}@example.org", source="all") for number in range(PEOPLE)]
        with self.store.writing() as connection:
            sync_contacts(connection, people, sources=frozenset({"all"}), now=_AT)
        self.rounds = {"small": 0, "large": 0}

    def plan(self, name: str) -> None:
        self.rounds[name] += 1
        ref = self._ref(name)
        approving.approve(self.store, ref, self.source, pictures=self.pictures, by="the benchmark", now=_AT)
        with self.store.reading() as connection:
            mailing = find_mailing(connection, ref)
        assert mailing is not None
        planning.plan(
            self.store,
            mailing,
            segment=make_segment("all", SegmentRule()),
            allowed_domains=None,
            batch_size=500,
            now=_AT,
        )

    def send(self, name: str, window: int) -> None:
        group = Group(name="G", list_id="g.example.org", opt_out_address="g@example.org")
        tokens = OptOutTokens(["k" * 32], topics=["newsletter"])
        parts = sending.Sending(
            store=self.store,
            transport=Counting(window),
            clock=self.clock,
            links=lambda topic: Links(tokens, group, public_url=None, topic=topic),
            allowed_domains=None,
        )
        sending.send_due(parts, [self._ref(name)])

    def _ref(self, name: str) -> MailingRef:
        assert self.rounds[name] <= ROUNDS
        return MailingRef(f"{name}-windows", f"round-{self.rounds[name]}")
