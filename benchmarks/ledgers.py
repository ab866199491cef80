"""A ledger to measure: people, an approved newsletter, its plan, and a transport that only counts."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.project import sample_source
from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.contacts.segment_rules import SegmentRule
from mlgroup_mail.contacts.segments import make_segment
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.content.pictures.image_files import read_pictures
from mlgroup_mail.delivery import approving, planning, sending
from mlgroup_mail.delivery.merging import Links
from mlgroup_mail.delivery.transports.base import MayBegin, Transport
from mlgroup_mail.model import Contact, MailingRef, Message, Outcome, OutcomeKind
from mlgroup_mail.model.message import BuildTemplate
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.settings.project import Group, read_project
from mlgroup_mail.store import Store
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.mailings import find_mailing
from mlgroup_mail.store.upgrade import upgrade

AT = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)


class Counting:
    """A transport that takes everything."""

    name = "counting"
    one_variant = False
    build: BuildTemplate = MessageTemplate.build

    def __init__(self, window: int) -> None:
        self.window = window

    def open(self) -> None:
        """Nothing to open."""

    def ready(self) -> bool:
        """Always."""
        return True

    def send(
        self,
        messages: Sequence[Message],
        may_begin: MayBegin,
        *,
        more: bool = False,  # noqa: ARG002 (nothing stays in the air)
    ) -> list[Outcome]:
        """Accept all."""
        return [
            Outcome(attempt_id=message.attempt_id, kind=OutcomeKind.ACCEPTED) for message in messages if may_begin()
        ]

    def close(self) -> None:
        """Nothing to close."""


def make_ledger(folder: Path, people: Iterable[Contact]) -> FrozenSource:
    """Store these people, whose source is "all", in a new ledger; returns what can be approved."""
    source = sample_source(folder)
    store = open_ledger(folder)
    upgrade(store, now=AT)
    with store.writing() as connection:
        sync_contacts(connection, list(people), sources=frozenset({"all"}), now=AT)
    store.close()
    return source


def open_ledger(folder: Path) -> Store:
    """The ledger in a folder, on SQLite with full durability."""
    return Store(f"sqlite:///{folder / 'ledger.db'}", state=folder)


def approve(store: Store, folder: Path, source: FrozenSource, ref: MailingRef) -> None:
    """Approve the newsletter under another name."""
    pictures = read_pictures(read_project(folder), source)
    approving.approve(store, ref, source, pictures=pictures, by="the benchmark", now=AT)


def plan(store: Store, ref: MailingRef, *, batch_size: int = 500, progress: Progress = silent) -> None:
    """Plan an approved mailing to everybody."""
    with store.reading() as connection:
        mailing = find_mailing(connection, ref)
    assert mailing is not None
    everybody = make_segment("all", SegmentRule())
    planning.plan(
        store, mailing, segment=everybody, allowed_domains=None, batch_size=batch_size, now=AT, progress=progress
    )


def send(store: Store, ref: MailingRef, window: int, *, progress: Callable[[int], None] = lambda _: None) -> None:
    """Send a planned mailing to nowhere; `progress` is told how many more have an answer."""
    send_through(store, ref, Counting(window), progress=progress)


def send_through(
    store: Store,
    ref: MailingRef,
    transport: Transport,
    *,
    public_url: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """The same through a transport; `public_url` gives mails a page to opt out."""
    group = Group(name="G", list_id="g.example.org", opt_out_address="g@example.org")
    tokens = OptOutTokens(["k" * 32], topics=["newsletter"])
    parts = sending.Sending(
        store=store,
        transport=transport,
        clock=FixedClock(AT),
        links=lambda topic: Links(tokens, group, public_url=public_url, topic=topic),
        allowed_domains=None,
    )
    for hindrance in sending.send_due(parts, [ref], progress=lambda _, more: progress(more)):
        raise hindrance
