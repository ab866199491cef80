"""What trust needs: rates that hold over all processes, roads that were read, the team's own addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Tables and columns as of this version, written out: `store.schema` goes on changing."""
    _rates()
    _canaries()
    _roads_and_clock()
    _indexes()
    op.execute("INSERT INTO counter (name, value) VALUES ('decisions', 0)")


def _roads_and_clock() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "road",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("configured_at", moment, nullable=False),
        sa.Column("heard_at", moment, nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_road")),
    )
    op.create_table(
        "clock_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wall", moment, nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("boot_seconds", sa.Float(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_mark")),
    )


def _canaries() -> None:
    op.add_column("delivery", sa.Column("canary", sa.String(5), nullable=False, server_default=sa.text("''")))
    canaries = sa.text("canary != ''")
    op.create_index("ix_delivery_canary", "delivery", ["mailing_id"], sqlite_where=canaries, postgresql_where=canaries)


def _indexes() -> None:
    claimable, tried = sa.text("state IN ('planned', 'deferred')"), sa.text("attempt_id IS NOT NULL")
    op.drop_index("ix_delivery_batch_state", "delivery")
    op.create_index(
        "ix_delivery_claimable",
        "delivery",
        ["batch_id", "id", "next_at"],
        sqlite_where=claimable,
        postgresql_where=claimable,
    )
    op.create_index(
        "ix_delivery_attempt", "delivery", ["mailing_id", "attempt_id"], sqlite_where=tried, postgresql_where=tried
    )


def _rates() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("attempt", sa.Column("scope", sa.String(20), nullable=True))
    op.add_column("delivery", sa.Column("domain", sa.Text(), nullable=False, server_default=sa.text("''")))
    # What stands behind the last @, of which a quoted local part may hold others.
    behind = (
        "substr(address, length(rtrim(address, replace(address, '@', ''))) + 1)"
        if on_sqlite
        else "substring(address from '[^@]*$')"
    )
    op.execute(f"UPDATE delivery SET domain = lower({behind}) WHERE address != ''")  # noqa: S608
    op.create_table(
        "back_off",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_back_off")),
    )
    op.create_table(
        "rate",
        sa.Column("transport", sa.String(20), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("transport", "domain", name=op.f("pk_rate")),
    )
    op.create_table(
        "rate_use",
        sa.Column("limit", sa.String(40), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("limit", "domain", "at", name=op.f("pk_rate_use")),
    )
    op.create_table(
        "ledger_clock",
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("ahead", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("boot", name=op.f("pk_ledger_clock")),
    )
