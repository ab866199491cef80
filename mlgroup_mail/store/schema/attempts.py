"""Who sends, what was ordered and tried, and within which limits."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    literal_column,
    text,
)

from mlgroup_mail.model import OutcomeKind
from mlgroup_mail.store.column_types import Key, Moment
from mlgroup_mail.store.schema.base import metadata

owner = Table(
    "owner",
    metadata,
    Column("id", Key, primary_key=True),
    Column("host", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("lock_path", Text, nullable=False),
    Column("lock_device", BigInteger, nullable=False),
    Column("lock_inode", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False, default=0),
    Column("lease_until", Float, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, index=True),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Key, primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False, index=True),
    Column("owner_id", ForeignKey("owner.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("transport", String(20), nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", String(20)),
    Column("detail", Text, nullable=False, default=""),
    Column("scope", String(20)),
    CheckConstraint(
        "outcome IS NULL OR outcome IN (" + ", ".join(f"'{kind}'" for kind in OutcomeKind) + ")", name="outcome"
    ),
)
"""`outcome` is NULL while the answer is awaited. What is recorded stays, except that doubt may be settled.

`scope` is whom the answer was about; NULL where nobody answered (a dead owner), or not about this person (a hand-back,
a request refused as a whole): a deferred one without it was no try.
"""

NO_TRY = and_(attempt.c.outcome == literal_column(f"'{OutcomeKind.DEFERRED}'"), attempt.c.scope.is_(None))
"""Whether an attempt was handed back, and so counts for nothing."""

Index(
    "ix_attempt_open",
    attempt.c.owner_id,
    sqlite_where=attempt.c.outcome.is_(None),
    postgresql_where=attempt.c.outcome.is_(None),
)

back_off = Table(
    "back_off",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", Moment, nullable=False),
)
"""Receiving domains that take nothing for now, "" for the mail server itself.

`failures` is how many back-offs there were in a row; a success removes the row.
"""

rate = Table(
    "rate",
    metadata,
    Column("transport", String(20), primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("next_at", Float, nullable=False),
)
"""Before when a transport may be given nothing for a receiving domain ("": for any), by `store.ledger_clock`."""

rate_use = Table(
    "rate_use",
    metadata,
    Column("limit", String(40), primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("at", Float, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""How many messages went under a limit, by the latest moment at which they may have begun (`store.limits`)."""

ledger_clock = Table(
    "ledger_clock",
    metadata,
    Column("boot", Text, primary_key=True),
    Column("ahead", Float, nullable=False),
)
"""SQLite only, one row: how many seconds the ledger's clock is ahead of the time since this boot."""

clock_mark = Table(
    "clock_mark",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("wall", Moment, nullable=False),
    Column("boot", Text, nullable=False),
    Column("boot_seconds", Float, nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""One row: what time it was when live mail was last allowed, by the machine's clock and since its boot.

`number` is the sequence's number of the order that made this mark the measure, where a person gave one; else 0.
"""

courtesy = Table(
    "courtesy",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("address", Text, nullable=False),
    Column("token", String(32), nullable=False, index=True),
    Column("begun_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", String(20)),
    Column("detail", Text, nullable=False, default=""),
)
"""Mail outside mailings (a test, a confirmation): its own durable attempt."""


def courtesy_columns() -> tuple[Column[Any], ...]:
    """Columns of a table to each of whose rows one mail outside mailings may have to go (`store.courtesies`).

    `next_at` is when it may be tried, NULL where none is to go (any more); `tries` how often that has failed;
    `kept_back` why it has not gone, "" where nothing is in its way; `courtesy_id` the latest attempt.
    """
    return (
        Column("next_at", Moment),
        Column("tries", Integer, nullable=False, server_default=text("0")),
        Column("kept_back", String(20), nullable=False, server_default=text("''")),
        Column("courtesy_id", ForeignKey("courtesy.id")),
    )


journal = Table(
    "journal",
    metadata,
    Column("id", Key, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("mailing_id", ForeignKey("mailing.id"), index=True),
    Column("delivery_id", ForeignKey("delivery.id"), index=True),
    Column("contact_id", ForeignKey("contact.id"), index=True),
    Column("act", String(30), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("actor", Text, nullable=False, default=""),
    Column("at", Moment, nullable=False),
)
"""What people ordered, and what the software decided by itself, with the reason."""
