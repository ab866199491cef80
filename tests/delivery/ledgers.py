"""Looking into a ledger, and being one process that sends from it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import RowMapping, select

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import NOT_BEGUN, MayBegin, Transport
from mlgroup_mail.model import Message, Outcome, OutcomeKind
from mlgroup_mail.model.message import BuildTemplate
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.claims import Claimed, Claims
from mlgroup_mail.store.mailings import delivery_counts
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.transactions import rows
from tests.delivery.transports.messages import make_message
from tests.factories import NOON, reread


class RecordingTransport:
    """Takes everything and remembers it, with the answer that a test wants."""

    name = "recording"
    window = 2
    one_variant = False
    build: BuildTemplate = MessageTemplate.build

    def __init__(self, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> None:
        self.kind = kind
        self.begun: list[str] = []
        self.closed = False

    def open(self) -> None:
        pass

    def ready(self) -> bool:
        return True

    def send(self, messages: Iterable[Message], may_begin: MayBegin, *, more: bool = False) -> list[Outcome]:
        return [self._send(message, may_begin) for message in messages]

    def close(self) -> None:
        self.closed = True

    def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
        if not may_begin():
            return Outcome(attempt_id=message.attempt_id, kind=OutcomeKind.DEFERRED, detail=NOT_BEGUN, begun=False)
        self.begun.append(message.address)
        return Outcome(attempt_id=message.attempt_id, kind=self.kind, detail="said the server")


def merge(claimed: Claimed) -> Message:
    """A message for a delivery; what it says is of no interest."""
    return make_message(claimed.address, attempt_id=claimed.attempt_id, delivery_id=claimed.delivery_id)


@contextmanager
def claims_of(store: Store, now: datetime = NOON) -> Iterator[Claims]:
    """This process as an owner."""
    with ownership(store, FixedClock(now)) as owner:
        yield Claims(store, owner, transport="recording", restrictions=restrictions)


def dispatch_all(
    store: Store, transport: Transport, now: datetime = NOON, merge: Callable[[Claimed], Message] = merge
) -> list[int]:
    """Dispatch every batch; returns the progress that was told."""
    told: list[int] = []
    with store.reading() as connection:
        batches = batches_of(connection, reread(store))
    with claims_of(store, now) as claims:
        for batch in batches:
            dispatch(
                batch,
                claims=claims,
                merge=merge,
                transport=transport,
                clock=FixedClock(now),
                progress=told.append,
                stop=Stop(),
            )
    return told


def deliveries(store: Store) -> list[RowMapping]:
    """Every delivery as the ledger has it, in order."""
    with store.reading() as connection:
        return rows(connection, select(schema.delivery).order_by(schema.delivery.c.id))


def counts(store: Store) -> dict[str, int]:
    """How many deliveries are in each state that any is in."""
    with store.reading() as connection:
        found = delivery_counts(connection, reread(store).mailing_id)
    return {str(state): number for state, number in found.items() if number}


def journal(store: Store) -> list[tuple[str, str, str]]:
    """(act, reason, actor) of all that was ordered, in order."""
    with store.reading() as connection:
        found = rows(connection, select(schema.journal).order_by(schema.journal.c.number))
    return [(row["act"], row["reason"], row["actor"]) for row in found]
