"""The tables. Migrations make them; this is what queries are written against.

Keys are integers: a million rows are inserted seven times as fast as with text keys (measured on SQLite). Moments are
UTC. Numbers named `number` come from one sequence that claims and consent writers share (`transactions.next_number`).
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    select,
    text,
)

from mlgroup_mail.model import DeliveryState, MailingState, OutcomeKind
from mlgroup_mail.store.column_types import Key, Moment, one_of

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

consent_number = Sequence("consent_number", metadata=metadata)
"""PostgreSQL's; on SQLite the table `counter` serves (one writer at a time holds it anyway)."""


FROM_A_LIST = "list"
"""The origin of those whom a contact source brought; others came through a page, or by hand."""
CANARY = "canary"
"""The origin of the team's own addresses that ride along with mailings: they are on no list, and so have `left_at`."""

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ledger_id", String(36), nullable=False),
    Column("created_at", Moment, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

contact = Table(
    "contact",
    metadata,
    Column("id", Key, primary_key=True),
    Column("external_id", Text, nullable=False, default=""),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("first_name", Text, nullable=False, default=""),
    Column("organisation", Text, nullable=False, default=""),
    Column("country", String(2), nullable=False, default=""),
    Column("timezone", Text, nullable=False, default=""),
    Column("language", Text, nullable=False, default=""),
    Column("status", Text, nullable=False, default=""),
    Column("themes", JSON, nullable=False, default=list),
    Column("topics", JSON, nullable=False, default=list),
    Column("source", Text, nullable=False, default=""),
    Column("origin", String(20), nullable=False, server_default=FROM_A_LIST),
    Column("joined_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("left_at", Moment),
    Column("moved_to", ForeignKey("contact.id")),
    Column("erased_at", Moment),
)
"""A row whose source no longer has it keeps its id, with `left_at`: it is nobody's recipient, and never forgotten.

`external_id` is the source's own id behind the source's name ("members:17"). `origin` is the way by which somebody
came. `moved_to` closes a row that proved to be another contact's; `erased_at` one whose person wants to be forgotten:
it is empty.
"""

_HAS_ID = contact.c.external_id != literal_column("''")
id_index = Index("ix_contact_external_id", contact.c.external_id, sqlite_where=_HAS_ID, postgresql_where=_HAS_ID)

_MOVED = contact.c.moved_to.is_not(None)
Index("ix_contact_moved_to", contact.c.moved_to, sqlite_where=_MOVED, postgresql_where=_MOVED)

contact_address = Table(
    "contact_address",
    metadata,
    Column("contact_id", ForeignKey("contact.id"), primary_key=True),
    Column("address_key", Text, primary_key=True),
    Column("current", Boolean, nullable=False),
    Column("since", Moment, nullable=False),
    Column("moved_away", Boolean, nullable=False),
    # New people's addresses are then the end of the only tree: a million in 0.6 s instead of 4 (measured).
    sqlite_with_rowid=False,
)
"""Every address that people have or had. A mailbox may pass from one to another, and stays in the history of both.

`since` is when it became this person's, `moved_away` that somebody of the team has said that they no longer have it.
"""

mailbox_index = Index("ix_contact_address_mailbox", contact_address.c.address_key, contact_address.c.current)

erased = Table(
    "erased",
    metadata,
    Column("mac", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)
"""Addresses of people who want to be forgotten, as HMAC-SHA-256 under a key of its own (`store.erasure`)."""

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
`canary` is the place of one of the team who rides along ("first", "last"), "" for everybody else. Those who have a
`claim_group` are claimed together and with nobody else, until it is known for whom of them a request was refused.
"""

_RECIPIENT = delivery.c.state != DeliveryState.EXCLUDED.value
Index(
    "uq_delivery_mailing_address",
    delivery.c.mailing_id,
    delivery.c.address_key,
    unique=True,
    sqlite_where=_RECIPIENT,
    postgresql_where=_RECIPIENT,
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

imported_file = Table(
    "imported_file",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("at", Moment, nullable=False),
)

picture = Table(
    "picture",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""What approved mailings show, by SHA-256. Nothing in it is anybody's: it outlives the mailings."""

courtesy = Table(
    "courtesy",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("address", Text, nullable=False),
    Column("token", String(32), nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", String(20)),
    Column("detail", Text, nullable=False, default=""),
)
"""Mail outside mailings (a test, a confirmation): its own durable attempt."""

preference = Table(
    "preference",
    metadata,
    Column("contact_id", ForeignKey("contact.id"), primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
"""Topics that people have turned on for themselves, whatever a list says of them. No import takes one away."""

join_request = Table(
    "join_request",
    metadata,
    Column("id", Key, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("mailbox", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("country", String(2), nullable=False),
    Column("language", Text, nullable=False),
    Column("asked_at", Moment, nullable=False, index=True),
    Column("token_hash", String(64), unique=True),
    Column("next_at", Moment),
    Column("tries", Integer, nullable=False),
    Column("confirmed_at", Moment),
    Column("contact_id", ForeignKey("contact.id")),
    Column("courtesy_id", ForeignKey("courtesy.id")),
)
"""Somebody has asked to join with an address, and whoever reads it is asked whether they did; gone after a week.

`mailbox` is the address without what stands behind a plus sign: many of one mailbox are asked once. The link in the
mail is in `token_hash` as SHA-256. `next_at` is when the next mail may be tried: the question, or the welcome once it
is answered; NULL where none is to go. `courtesy_id` is the latest try.
"""

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
    sqlite_with_rowid=False,
)
"""What was read of them, so that it counts once; `bounce` says of which sort one is, "" where it is none."""

provider_push = Table(
    "provider_push",
    metadata,
    Column("address_key", Text, primary_key=True),
    Column("asked_at", Moment, nullable=False),
    Column("done_at", Moment),
    sqlite_with_rowid=False,
)
"""Whom we put on the provider's list of those who get no mail at all; `done_at` is NULL while it has not said so."""

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

burst_opt_out = Table(
    "burst_opt_out",
    metadata,
    Column("signal_id", ForeignKey("signal.id"), primary_key=True, autoincrement=False),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False, index=True),
    Column("domain", Text, nullable=False),
    Column("flagged_at", Moment, nullable=False),
    Column("courtesy_id", ForeignKey("courtesy.id")),
    sqlite_with_rowid=False,
)
"""Opt-outs by page that a mail gateway may have clicked: many of one domain, minutes after a mailing got there.

`courtesy_id` is the one mail that lets their reader take it back; NULL where none has been begun.
"""

BY_PAGE = and_(signal.c.road == literal_column("'page'"), signal.c.kind == literal_column("'opt_out'"))
"""Opt-outs by our pages, in words that the index is found by."""
Index("ix_signal_by_page", signal.c.recorded_at, sqlite_where=BY_PAGE, postgresql_where=BY_PAGE)
