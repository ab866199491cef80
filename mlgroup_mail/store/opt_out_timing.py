"""How long opt-outs took from the request to the rule that stops mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from mlgroup_mail.model import Road, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.moving import PASSED_ON
from mlgroup_mail.store.transactions import rows

_SIGNAL, _RULE = schema.signal, schema.suppression


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedOptOut:
    """One opt-out (bounce, complaint, hold): asked for `at`, in effect `effective_at`, with the sequence's `number`.

    An attempt with a higher number cannot be to them. `moved_in`: it was asked for before the ledger began.
    """

    contact_id: int | None
    kind: SignalKind
    topic: str
    road: Road
    at: datetime
    effective_at: datetime
    number: int
    moved_in: bool

    @property
    def took(self) -> timedelta:
        """From request to effect; nothing where a clock elsewhere was ahead of ours."""
        return max(self.effective_at - self.at, timedelta(0))


def timed_opt_outs(connection: Connection) -> list[TimedOptOut]:
    """All there have been, lifted ones too, in order of their numbers.

    Left out are rules that were passed on when two rows proved to be one person: nobody had asked for them then.
    """
    statement = (
        select(
            _RULE.c.contact_id,
            _RULE.c.kind,
            _RULE.c.topic,
            _RULE.c.road,
            _RULE.c.at,
            _RULE.c.number,
            _SIGNAL.c.recorded_at,
        )
        .join(_SIGNAL, _SIGNAL.c.id == _RULE.c.signal_id)
        .where(_RULE.c.evidence.not_like(f"%{PASSED_ON}%"))
        .order_by(_RULE.c.number, _RULE.c.id)
    )
    begun = connection.execute(select(schema.ledger.c.created_at)).scalar_one()
    return [
        TimedOptOut(
            contact_id=row["contact_id"],
            kind=SignalKind(row["kind"]),
            topic=row["topic"],
            road=Road(row["road"]),
            at=row["at"],
            effective_at=row["recorded_at"],
            number=row["number"],
            moved_in=row["at"] < begun,
        )
        for row in rows(connection, statement)
    ]
