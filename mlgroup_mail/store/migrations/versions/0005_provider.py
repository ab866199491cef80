"""What a provider needs: deliveries that are to be claimed together and with nobody else, and its events."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Tables and columns as of this version, written out: `store.schema` goes on changing."""
    _claim_groups()
    _tries()
    _moved_contacts()
    _provider_events()


def _claim_groups() -> None:
    op.add_column("delivery", sa.Column("claim_group", sa.BigInteger(), nullable=True))
    claimable = sa.text("state IN ('planned', 'deferred')")
    op.drop_index("ix_delivery_claimable", "delivery")
    op.create_index(
        "ix_delivery_claimable",
        "delivery",
        ["batch_id", "claim_group", "variant_id", "id", "next_at"],
        sqlite_where=claimable,
        postgresql_where=claimable,
    )


def _tries() -> None:
    """What was handed back without being begun no longer counts as a try."""
    op.execute("""
        UPDATE delivery SET attempts = attempts - (
            SELECT count(*) FROM attempt WHERE delivery_id = delivery.id AND outcome = 'deferred' AND scope IS NULL
        ) WHERE id IN (SELECT delivery_id FROM attempt WHERE outcome = 'deferred' AND scope IS NULL)
    """)


def _moved_contacts() -> None:
    moved = sa.text("moved_to IS NOT NULL")
    op.create_index("ix_contact_moved_to", "contact", ["moved_to"], sqlite_where=moved, postgresql_where=moved)


def _provider_events() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("delivery_event", sa.Column("bounce", sa.String(4), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "provider_alias",
        sa.Column("alias", sa.String(32), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_provider_alias_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_provider_alias")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unplaced_event",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("alias", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("bounce", sa.String(4), nullable=False),
        sa.Column("asks", sa.String(20), nullable=False),
        sa.Column("every_topic", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("kept_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_unplaced_event")),
    )
    op.create_index("ix_unplaced_event_alias", "unplaced_event", ["alias"])
