"""Things that tests need, with defaults: a store, people, a planned mailing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlgroup_mail.model import Contact, MailingRef, MailingStep
from mlgroup_mail.store import Store
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.contacts import contacts_after
from mlgroup_mail.store.mailings import MailingRow, approve_mailing, find_mailing
from mlgroup_mail.store.plans import PlannedRecipient, add_variant, count_planned, end_planning, write_chunk
from mlgroup_mail.store.transitions import move_mailing
from mlgroup_mail.store.upgrade import upgrade

NOON = datetime(2021, 10, 20, 12, 0, tzinfo=UTC)
REF = MailingRef("2021-10-newsletter", "issue")


def make_store(folder: Path, url: str | None = None) -> Store:
    """A store with this version's tables, on SQLite in `folder` unless a URL says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(url or f"sqlite:///{folder / 'ledger.db'}", state=folder)
    upgrade(store, now=NOON)
    return store


def make_contact(number: int, **values: object) -> Contact:
    """Person `number` of a fictional office."""
    defaults: dict[str, object] = {
        "address": f"person{number}@office{number % 7}.example",
        "name": f"Person Number{number}",
        "first_name": "Person",
        "source": "members",
    }
    return Contact(**(defaults | values))  # type: ignore[arg-type]


def add_contacts(store: Store, contacts: Sequence[Contact]) -> list[Contact]:
    """Store people; returns them with their ids."""
    with store.deciding() as connection:
        sync_contacts(connection, contacts, sources=frozenset({"members"}), now=NOON)
    with store.reading() as connection:
        return contacts_after(connection, 0, 100_000)


def approved_mailing(
    store: Store,
    *,
    ref: MailingRef = REF,
    topic: str = "newsletter",
    send_at: datetime = NOON,
    stop_at: datetime = NOON + timedelta(hours=48),
) -> MailingRow:
    """A mailing as `approve` leaves it; its content is of no interest here."""
    with store.writing() as connection:
        approve_mailing(
            connection,
            ref,
            topic=topic,
            send_at=send_at,
            stop_at=stop_at,
            digest="0" * 64,
            source="{}",
            by="the editor",
            now=NOON,
        )
    return reread(store, ref)


def planned_mailing(store: Store, people: int = 6, *, batch_size: int = 500, ref: MailingRef = REF) -> MailingRow:
    """A mailing to `people` new contacts, planned at noon and due at once."""
    contacts = add_contacts(store, [make_contact(number) for number in range(1, people + 1)])
    mailing = approved_mailing(store, ref=ref)
    with store.writing() as connection:
        move_mailing(connection, mailing.mailing_id, MailingStep.BEGIN_PLANNING, now=NOON)
    mailing = reread(store, ref)
    with store.writing() as connection:
        variant = add_variant(connection, mailing.mailing_id, key="[]", compiled="{}")
        write_chunk(
            connection,
            mailing,
            recipients=[PlannedRecipient(contact=each, variant_id=variant, fields={}) for each in contacts],
            exclusions=[],
            cursor=contacts[-1].contact_id,
            batch_size=batch_size,
            now=NOON,
        )
        end_planning(connection, mailing, planned=count_planned(connection, mailing), now=NOON)
    return reread(store, ref)


def reread(store: Store, ref: MailingRef = REF) -> MailingRow:
    """A mailing's row as it is now."""
    with store.reading() as connection:
        mailing = find_mailing(connection, ref)
    assert mailing is not None
    return mailing
