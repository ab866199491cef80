"""Who is who: origins, moves, erasures, and ids of sources under the name of their source."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    key = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.add_column("contact", sa.Column("origin", sa.String(20), nullable=False, server_default="list"))
    op.add_column("contact", sa.Column("erased_at", _MOMENT, nullable=True))
    # In one statement: SQLite adds no constraint later, and must not make this table anew, to which others refer.
    op.execute(
        f"ALTER TABLE contact ADD COLUMN moved_to {key} CONSTRAINT fk_contact_moved_to_contact REFERENCES contact (id)"
    )
    op.execute(
        f"ALTER TABLE journal ADD COLUMN contact_id {key}"
        " CONSTRAINT fk_journal_contact_id_contact REFERENCES contact (id)"
    )
    op.create_index("ix_journal_contact_id", "journal", ["contact_id"])
    op.drop_index("ix_contact_address_key", "contact")
    op.execute("UPDATE contact SET external_id = source || ':' || external_id WHERE external_id != ''")
    op.create_index(
        "ix_contact_external_id",
        "contact",
        ["external_id"],
        sqlite_where=sa.text("external_id != ''"),
        postgresql_where=sa.text("external_id != ''"),
    )

    op.execute("CREATE TEMPORARY TABLE known AS SELECT address_key, contact_id, current FROM contact_address")
    op.drop_table("contact_address")
    op.create_table(
        "contact_address",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("moved_away", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_address_contact_id_contact")),
        sa.PrimaryKeyConstraint("contact_id", "address_key", name=op.f("pk_contact_address")),
        sqlite_with_rowid=False,
    )
    # Of before nothing is known but when its person joined.
    op.execute(
        "INSERT INTO contact_address (contact_id, address_key, current, since, moved_away)"
        " SELECT known.contact_id, known.address_key, known.current, contact.joined_at, false"
        " FROM known JOIN contact ON contact.id = known.contact_id ORDER BY known.contact_id, known.address_key"
    )
    op.execute("DROP TABLE known")
    op.create_index("ix_contact_address_mailbox", "contact_address", ["address_key", "current"])

    op.create_table(
        "erased",
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("mac", name=op.f("pk_erased")),
    )


def downgrade() -> None:
    raise NotImplementedError("who was erased or moved cannot be told in the first schema")
