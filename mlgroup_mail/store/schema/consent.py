"""Who is not written to, why, and how that reached us."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, and_, literal_column

from mlgroup_mail.store.column_types import Key, Moment
from mlgroup_mail.store.schema.attempts import courtesy_columns
from mlgroup_mail.store.schema.base import metadata

signal = Table(
    "signal",
    metadata,
    Column("id", Key, primary_key=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("number", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("topic", Text, nullable=False),
    Column("road", String(20), nullable=False),
    Column("address", Text, nullable=False, default=""),
    Column("contact_id", ForeignKey("contact.id")),
    Column("reason", Text, nullable=False, default=""),
    Column("evidence", Text, nullable=False, default=""),
    Column("actor", Text, nullable=False, default=""),
    Column("at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
)
"""Append-only: what was received, before it became a rule."""

suppression = Table(
    "suppression",
    metadata,
    Column("id", Key, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("signal_id", ForeignKey("signal.id"), nullable=False),
    Column("restriction", String(20), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("topic", Text, nullable=False),
    Column("address_key", Text, nullable=False, default="", index=True),
    Column("contact_id", ForeignKey("contact.id"), index=True),
    Column("reason", Text, nullable=False, default=""),
    Column("road", String(20), nullable=False),
    Column("evidence", Text, nullable=False, default=""),
    Column("at", Moment, nullable=False),
    Column("lifted_number", BigInteger),
    Column("lifted_at", Moment),
    Column("lifted_by", Text, nullable=False, default=""),
    Column("lifted_reason", Text, nullable=False, default=""),
)

imported_file = Table(
    "imported_file",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("at", Moment, nullable=False),
)

road = Table(
    "road",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("configured_at", Moment, nullable=False),
    Column("heard_at", Moment),
    Column("failed_at", Moment),
    Column("error", Text, nullable=False, default=""),
)
"""Roads that are configured now: since when, when each was last read, and what went wrong since, if anything did."""

signing_key = Table(
    "signing_key",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("signed_at", Moment, nullable=False),
    Column("retired_at", Moment),
)
"""Keys that links in mails were signed with, by their fingerprints; `retired_at`: somebody has given it up for lost."""

burst_opt_out = Table(
    "burst_opt_out",
    metadata,
    Column("signal_id", ForeignKey("signal.id"), primary_key=True, autoincrement=False),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False, index=True),
    Column("domain", Text, nullable=False),
    Column("flagged_at", Moment, nullable=False),
    *courtesy_columns(),
    sqlite_with_rowid=False,
)
"""Opt-outs by page that a mail gateway may have clicked: many of one domain, minutes after a mailing got there.

The mail is the one that lets their reader take it back.
"""

BY_PAGE = and_(signal.c.road == literal_column("'page'"), signal.c.kind == literal_column("'opt_out'"))
"""Opt-outs by our pages, in words that the index is found by."""
Index("ix_signal_by_page", signal.c.recorded_at, sqlite_where=BY_PAGE, postgresql_where=BY_PAGE)
