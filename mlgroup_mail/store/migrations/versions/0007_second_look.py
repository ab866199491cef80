"""What the first use of opt-outs showed to be missing: keys that signed, mails that wait, addresses as others write."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Tables and columns as of this version, written out: `store.schema` goes on changing."""
    _provider_lists()
    _waiting_mails()
    _signing_keys()
    _recipients_have_a_batch()


def _provider_lists() -> None:
    """What was read before has the address as we write it; what is asked for by it and not found is read once more."""
    op.add_column("provider_entry", sa.Column("address", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE provider_entry SET address = address_key")
    op.add_column("provider_push", sa.Column("refused", sa.Boolean(), nullable=False, server_default=sa.false()))


def _waiting_mails() -> None:
    op.create_index("ix_courtesy_token", "courtesy", ["token"])
    op.add_column("burst_opt_out", sa.Column("next_at", _MOMENT, nullable=True))
    op.add_column("burst_opt_out", sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("burst_opt_out", _kept_back())
    # Whoever has not been asked yet was due at once.
    op.execute("UPDATE burst_opt_out SET next_at = flagged_at WHERE courtesy_id IS NULL")
    with op.batch_alter_table("join_request") as table:
        table.alter_column("tries", server_default=sa.text("0"))
        table.add_column(_kept_back())


def _kept_back() -> sa.Column[str]:
    return sa.Column("kept_back", sa.String(20), nullable=False, server_default=sa.text("''"))


def _signing_keys() -> None:
    op.create_table(
        "signing_key",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("signed_at", _MOMENT, nullable=False),
        sa.Column("retired_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_signing_key")),
    )


def _recipients_have_a_batch() -> None:
    """Whose mailbox it is in a mailing, by who has a batch: no step of a delivery touches that index."""
    op.drop_index("uq_delivery_mailing_address", "delivery")
    op.execute("UPDATE delivery SET batch_id = NULL WHERE state = 'excluded' AND batch_id IS NOT NULL")
    has_batch = sa.text("batch_id IS NOT NULL")
    op.create_index(
        "uq_delivery_mailing_address",
        "delivery",
        ["mailing_id", "address_key"],
        unique=True,
        sqlite_where=has_batch,
        postgresql_where=has_batch,
    )
