"""Who is on the list, who was, and what they chose."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text, literal_column

from mlgroup_mail.store.column_types import Key, Moment
from mlgroup_mail.store.schema.attempts import courtesy_columns
from mlgroup_mail.store.schema.base import metadata

FROM_A_LIST = "list"
"""The origin of those whom a contact source brought; others came through a page, or by hand."""
CANARY = "canary"
"""The origin of the team's own addresses that ride along with mailings: they are on no list, and so have `left_at`."""

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
    *courtesy_columns(),
    Column("confirmed_at", Moment),
    Column("contact_id", ForeignKey("contact.id")),
)
"""Somebody has asked to join with an address, and whoever reads it is asked whether they did; gone after a week.

`mailbox` is the address without what stands behind a plus sign: many of one mailbox are asked once. The link in the
mail is in `token_hash` as SHA-256. The mail is the question, or the welcome once it is answered.
"""
