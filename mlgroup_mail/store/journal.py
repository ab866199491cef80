"""Reading the journal: what people ordered, and what the software decided by itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from mlgroup_mail.store import schema
from mlgroup_mail.store.mailings import MailingRow
from mlgroup_mail.store.transactions import rows

_TABLE = schema.journal


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One order or decision; `delivery_id` is set where it was about a single delivery."""

    act: str
    reason: str
    actor: str
    at: datetime
    delivery_id: int | None


def journal_of(connection: Connection, mailing: MailingRow) -> list[JournalEntry]:
    """What was ordered and decided about a mailing, in order."""
    statement = select(_TABLE).where(_TABLE.c.mailing_id == mailing.mailing_id).order_by(_TABLE.c.number, _TABLE.c.id)
    return [
        JournalEntry(
            act=row["act"],
            reason=row["reason"],
            actor=row["actor"],
            at=row["at"],
            delivery_id=row["delivery_id"],
        )
        for row in rows(connection, statement)
    ]
