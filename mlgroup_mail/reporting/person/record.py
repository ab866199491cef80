"""Everything that is held about one person, in the ledger and in the outbox, for whoever asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mlgroup_mail.consent.erasing import forgotten_at
from mlgroup_mail.delivery.approving import approved_source
from mlgroup_mail.delivery.transports.outbox_clearing import messages_of
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import MailingRef
from mlgroup_mail.settings.app import App
from mlgroup_mail.settings.project import Group
from mlgroup_mail.store import Connection
from mlgroup_mail.store.belongings import belongings, deliveries_by_mailing
from mlgroup_mail.store.mailings import find_mailing
from mlgroup_mail.store.person_record import HeldDelivery, PersonRecord, Row, read_record
from mlgroup_mail.zones import zone_named


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonReport:
    """What is held of whom: `record` from the ledger, `messages` in the outbox, as paths from the project's `var/`.

    `subjects` are those of the mailings that were planned for them, `titles` the names of topics for readers.
    """

    group: Group
    zone: ZoneInfo
    made_at: datetime
    record: PersonRecord
    subjects: Mapping[MailingRef, str]
    titles: Mapping[str, str]
    messages: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs: rows with the ledger's own columns; times in ISO 8601, UTC."""
        record = self.record
        return {
            "group": self.group.name,
            "made_at": self.made_at.isoformat(),
            "contact_id": record.theirs.contact_id,
            "erased_at": record.erased_at.isoformat() if record.erased_at else None,
            "contacts": _plain(record.contacts),
            "addresses": _plain(record.addresses),
            "deliveries": [self._delivery(each) for each in record.deliveries],
            "opt_outs": _plain(record.rules),
            "signals": _plain(record.signals),
            "mail_outside_mailings": _plain(record.courtesies),
            "journal": _plain(record.journal),
            "others": {table: _plain(rows) for table, rows in record.others.items()},
            "messages": list(self.messages),
        }

    def subject(self, delivery: HeldDelivery) -> str:
        """The subject of a delivery's mailing, as it was approved."""
        return self.subjects.get(ref_of(delivery), "")

    def _delivery(self, held: HeldDelivery) -> dict[str, Any]:
        return {
            **_plain([held.row])[0],
            "subject": self.subject(held),
            "attempts_made": _plain(held.attempts),
            "events": _plain(held.events),
            "provider_names": list(held.aliases),
        }


def person_record(app: App, who: str) -> PersonReport:
    """Everything about the person with this address or number; raises UsageError where nothing is held."""
    with app.store.reading() as connection:
        theirs = belongings(connection, who)
        deliveries = deliveries_by_mailing(connection, theirs)
        record = read_record(connection, theirs, erased_at=forgotten_at(connection, app.erasure_key, who))
        subjects = {ref: _subject(connection, ref) for ref in deliveries}
    messages = messages_of(app.outbox, deliveries, theirs.own)
    if record.is_empty and not messages:
        raise UsageError("nobody has or had this address, and nothing is known of it", mend="Is it spelled right?")
    return PersonReport(
        group=app.project.group,
        zone=zone_named(app.project.group.timezone),
        made_at=app.clock.now(),
        record=record,
        subjects=subjects,
        titles={topic: app.project.topic_title(topic) for topic in app.project.topics},
        messages=tuple(sorted(_shown(path, app.project.state) for path in messages)),
    )


def ref_of(delivery: HeldDelivery) -> MailingRef:
    """The mailing that a delivery belongs to."""
    return MailingRef(delivery.row["campaign"], delivery.row["mailing"])


def _subject(connection: Connection, ref: MailingRef) -> str:
    row = find_mailing(connection, ref)
    return approved_source(row).subject if row else ""


def _shown(path: Path, state: Path) -> str:
    return path.relative_to(state).as_posix()


def _plain(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [
        {column: value.isoformat() if isinstance(value, datetime) else value for column, value in row.items()}
        for row in rows
    ]
