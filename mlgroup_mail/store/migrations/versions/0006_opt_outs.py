"""What the roads of opt-outs need: the provider's lists, and opt-outs that a machine may have clicked."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sa.DateTime(timezone=True)
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Tables and columns as of this version, written out: `store.schema` goes on changing."""
    _provider_lists()
    _bursts()
    _joining()


def _provider_lists() -> None:
    op.create_table(
        "provider_list",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("read_until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_provider_list")),
    )
    op.create_table(
        "provider_entry",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("list", sa.String(20), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("bounce", sa.String(4), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("address_key", "list", "created", name=op.f("pk_provider_entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "provider_push",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_provider_push")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "provider_removal",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("list", sa.String(20), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("address_key", "list", name=op.f("pk_provider_removal")),
        sqlite_with_rowid=False,
    )


def _bursts() -> None:
    op.create_table(
        "burst_opt_out",
        sa.Column("signal_id", _KEY, nullable=False, autoincrement=False),
        sa.Column("mailing_id", _KEY, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("flagged_at", _MOMENT, nullable=False),
        sa.Column("courtesy_id", _KEY, nullable=True),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_burst_opt_out_signal_id_signal")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_burst_opt_out_mailing_id_mailing")),
        sa.ForeignKeyConstraint(["courtesy_id"], ["courtesy.id"], name=op.f("fk_burst_opt_out_courtesy_id_courtesy")),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_burst_opt_out")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_burst_opt_out_mailing_id", "burst_opt_out", ["mailing_id"])
    by_page = sa.text("road = 'page' AND kind = 'opt_out'")
    op.create_index("ix_signal_by_page", "signal", ["recorded_at"], sqlite_where=by_page, postgresql_where=by_page)


def _joining() -> None:
    op.create_table(
        "preference",
        sa.Column("contact_id", _KEY, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_preference_contact_id_contact")),
        sa.PrimaryKeyConstraint("contact_id", "topic", name=op.f("pk_preference")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "join_request",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=True),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        sa.Column("contact_id", _KEY, nullable=True),
        sa.Column("courtesy_id", _KEY, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_join_request_contact_id_contact")),
        sa.ForeignKeyConstraint(["courtesy_id"], ["courtesy.id"], name=op.f("fk_join_request_courtesy_id_courtesy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_join_request_token_hash")),
    )
    op.create_index("ix_join_request_mailbox", "join_request", ["mailbox"])
    op.create_index("ix_join_request_asked_at", "join_request", ["asked_at"])
