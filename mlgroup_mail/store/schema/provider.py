"""What a provider tells of our mails, and keeps by itself."""

from sqlalchemy import Boolean, Column, ForeignKey, String, Table, Text, false, text

from mlgroup_mail.store.column_types import Key, Moment
from mlgroup_mail.store.schema.base import metadata

delivery_event = Table(
    "delivery_event",
    metadata,
    Column("id", Key, primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("source", String(20), nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("detail", Text, nullable=False, default=""),
    Column("at", Moment, nullable=False),
    Column("bounce", String(4), nullable=False, server_default=text("''")),
)
"""What was learned of a delivery later; `bounce` says whether one was hard or soft, "" for every other kind."""

provider_alias = Table(
    "provider_alias",
    metadata,
    Column("alias", String(32), primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False),
    sqlite_with_rowid=False,
)
"""What else the provider calls a delivery, as a hash: some of its bounces cite nothing of ours (`store.aliases`)."""

unplaced_event = Table(
    "unplaced_event",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("alias", String(32), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("bounce", String(4), nullable=False),
    Column("asks", String(20), nullable=False),
    Column("every_topic", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kept_at", Moment, nullable=False),
)
"""Events that came before the one that tells whose their alias is. They wait for it a week."""

provider_list = Table(
    "provider_list",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("read_until", Moment, nullable=False),
)
"""The provider's suppression lists: what was put on each before `read_until` is in the ledger."""

provider_entry = Table(
    "provider_entry",
    metadata,
    Column("address_key", Text, primary_key=True),
    Column("list", String(20), primary_key=True),
    Column("created", Moment, primary_key=True),
    Column("bounce", String(4), nullable=False, server_default=text("''")),
    Column("address", Text, nullable=False, server_default=text("''")),
    sqlite_with_rowid=False,
)
"""What was read of them, so that it counts once; `bounce` says of which sort one is, "" where it is none.

`address` is as the provider writes it: by that it is taken off.
"""

provider_push = Table(
    "provider_push",
    metadata,
    Column("address_key", Text, primary_key=True),
    Column("asked_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("refused", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
"""Whom we put on the provider's list of those who get no mail at all; `done_at` is NULL while it has not said so.

`refused`: it does not take this address onto its list.
"""

provider_removal = Table(
    "provider_removal",
    metadata,
    Column("address_key", Text, primary_key=True),
    Column("list", String(20), primary_key=True),
    Column("asked_at", Moment, nullable=False),
    Column("done_at", Moment),
    sqlite_with_rowid=False,
)
"""Whom a lift takes off one of the provider's lists; to be done while `done_at` is NULL."""
