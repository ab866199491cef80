"""What every table belongs to, and the ledger itself."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Sequence, String, Table

from mlgroup_mail.store.column_types import Moment

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
