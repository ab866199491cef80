"""What goes to whom."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    select,
    text,
)

from mlgroup_mail.model import DeliveryState, MailingState
from mlgroup_mail.store.column_types import Key, Moment, one_of
from mlgroup_mail.store.schema.base import metadata

mailing = Table(
    "mailing",
    metadata,
    Column("id", Key, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("state_reason", Text, nullable=False, default=""),
    Column("send_at", Moment, nullable=False),
    Column("stop_at", Moment, nullable=False),
    Column("token", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("source", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Moment, nullable=False),
    Column("plan_cursor", BigInteger, nullable=False, default=0),
    Column("audience", BigInteger),
    Column("resumed_at", Moment),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("campaign", "name"),
    one_of("state", MailingState),
)
"""`source` is the approved content as JSON, `digest` its hash; `audience` is counted when planning ends."""

variant = Table(
    "variant",
    metadata,
    Column("id", Key, primary_key=True),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("compiled", Text, nullable=False),
    UniqueConstraint("mailing_id", "key"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Key, primary_key=True),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    UniqueConstraint("mailing_id", "number"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Key, primary_key=True),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("variant_id", ForeignKey("variant.id")),
    Column("contact_id", ForeignKey("contact.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("domain", Text, nullable=False, server_default=text("''")),
    Column("fields", JSON, nullable=False, default=dict),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("attempt_id", BigInteger),
    Column("next_at", Moment),
    Column("changed_at", Moment, nullable=False),
    Column("canary", String(5), nullable=False, server_default=text("''")),
    Column("claim_group", BigInteger),
    UniqueConstraint("mailing_id", "contact_id"),
    one_of("state", DeliveryState),
)
"""One recipient (or exclusion) of one mailing.

`domain` is the address's, as A-labels in lower case. `attempt_id`: the latest; `next_at`: when a deferred one may go.
`canary` is the place of one of the team who rides along ("first", "last"), "" for everybody else. Whoever is excluded
has no batch. Those who have a
`claim_group` are claimed together and with nobody else, until it is known for whom of them a request was refused.
"""

RECIPIENT = delivery.c.batch_id.is_not(None)
"""Who is in an audience and not left out of it, in words that the index is found by.

Who is excluded loses the batch. Were the index about `state`, SQLite would write it anew at each step of each delivery.
"""
Index(
    "uq_delivery_mailing_address",
    delivery.c.mailing_id,
    delivery.c.address_key,
    unique=True,
    sqlite_where=RECIPIENT,
    postgresql_where=RECIPIENT,
)
A_CANARY = delivery.c.canary != literal_column("''")
Index("ix_delivery_canary", delivery.c.mailing_id, sqlite_where=A_CANARY, postgresql_where=A_CANARY)
CLAIMABLE = delivery.c.state.in_([literal_column(f"'{state}'") for state in DeliveryState if state.claimable])
"""What a claim may take, in words that the index is found by."""
Index(
    "ix_delivery_claimable",
    delivery.c.batch_id,
    # The order of claims: what may be one window stands together.
    delivery.c.claim_group,
    delivery.c.variant_id,
    delivery.c.id,
    # Looked at for everybody who waits before those who may go.
    delivery.c.next_at,
    sqlite_where=CLAIMABLE,
    postgresql_where=CLAIMABLE,
)
TRIED = delivery.c.attempt_id.is_not(None)
Index("ix_delivery_attempt", delivery.c.mailing_id, delivery.c.attempt_id, sqlite_where=TRIED, postgresql_where=TRIED)
Index("ix_delivery_mailing_state", delivery.c.mailing_id, delivery.c.state)
OF_ANY_MAILING = delivery.c.mailing_id.in_(select(mailing.c.id))
"""Always true. With it somebody's deliveries are looked up once for each mailing, by the index of mailing and contact;
without it all deliveries there are would be gone through."""

picture = Table(
    "picture",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""What approved mailings show, by SHA-256. Nothing in it is anybody's: it outlives the mailings."""
