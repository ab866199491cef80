"""How far a ledger has come: what tells an older copy of it from the one that was used last."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from mlgroup_mail.store import schema


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerAge:
    """The newest attempt, signal and order. None of these is ever deleted, so none of the three ever falls."""

    attempts: int
    signals: int
    orders: int

    def lacks(self, seen: "LedgerAge") -> list[str]:
        """What was seen once and is not here, for people."""
        found = {
            "attempts": self.attempts < seen.attempts,
            "opt-outs": self.signals < seen.signals,
            "orders": self.orders < seen.orders,
        }
        return [name for name, missing in found.items() if missing]


def ledger_age(connection: Connection) -> LedgerAge:
    """The age of this ledger."""
    attempts, signals, orders = (
        int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())
        for table in (schema.attempt, schema.signal, schema.journal)
    )
    return LedgerAge(attempts=attempts, signals=signals, orders=orders)
