"""A ledger of which SendGrid has taken everything and answered nothing, what it tells later, and what came of it."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from mlgroup_mail.delivery.merging import delivery_key
from mlgroup_mail.delivery.provider_events import SendGridEvent, in_our_words
from mlgroup_mail.delivery.receiving import Received, receive
from mlgroup_mail.model import ProviderEvent
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.testing.sendgrid.events import Event
from mlgroup_mail.testing.sendgrid.truth import Accepted

AT_TEN = datetime(2021, 11, 2, 10, tzinfo=UTC)
EVENING = datetime(2021, 11, 2, 20, tzinfo=UTC)
DOMAIN = "example.org"


def open_ledger(project: Path) -> Store:
    return Store(f"sqlite:///{project / 'var' / 'mlgroup.db'}", state=project / "var")


def put_in_doubt(store: Store) -> None:
    """As if no answer had come to any request."""
    with store.writing() as connection:
        connection.execute(update(schema.delivery).values(state="uncertain", reason="no answer"))
        connection.execute(update(schema.attempt).values(outcome="uncertain", detail="no answer"))


@contextmanager
def copy_of(ledger: Path, folder: Path) -> Iterator[Store]:
    """A ledger of one's own, with what another has."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "copy.db"
    for old in folder.glob("copy.db*"):
        old.unlink()
    shutil.copy(ledger, target)
    with closing(Store(f"sqlite:///{target}", state=folder)) as store:
        yield store


def accepted(store: Store) -> list[Accepted]:
    """The truth about the first mailing: everybody was taken, three in a request."""
    with store.reading() as connection:
        token = rows(connection, select(schema.mailing.c.token))[0]["token"]
        found = rows(connection, select(schema.delivery).order_by(schema.delivery.c.id))
    return [
        Accepted(
            address=row["address"],
            message_id=f"<{delivery_key(row['id'], token)}@{DOMAIN}>",
            custom_args={"delivery": delivery_key(row["id"], token)},
            request=place // 3,
            answer_id=f"an-answer-{place // 3}",
            at=AT_TEN.timestamp(),
        )
        for place, row in enumerate(found)
    ]


def about(person: Accepted, event: str, *, minute: int = 1, **more: object) -> Event:
    """One event of one recipient, as SendGrid sends it."""
    return {
        "email": person.address,
        "timestamp": int(AT_TEN.timestamp()) + 60 * minute,
        "event": event,
        "smtp-id": person.message_id,
        "sg_message_id": f"{person.answer_id}.recvd-5f54b5d587-abcde-1-0.0",
        "sg_event_id": f"event-{event}-{minute}",
        **person.custom_args,
        **more,
    }


def without_ours(event: Event) -> Event:
    """As a bounce comes that went back by mail: nothing of ours is in it."""
    return {name: value for name, value in event.items() if name not in ("delivery", "smtp-id")}


def read(events: Iterable[Event]) -> list[ProviderEvent]:
    said = (in_our_words(SendGridEvent.model_validate(event)) for event in events)
    return [each for each in said if each]


def tell(store: Store, *events: Event, now: datetime = EVENING) -> Received:
    return receive(store, read(events), now=now)


def end_state(store: Store) -> dict[str, object]:
    """All that events can change, without the numbers that tell in which order it came."""
    tables: dict[str, Sequence[str]] = {
        "delivery": ("id", "state", "reason"),
        "attempt": ("id", "outcome"),
        "mailing": ("id", "state"),
        "delivery_event": ("delivery_id", "kind", "source", "fingerprint", "detail", "at", "bounce"),
        "signal": ("fingerprint", "kind", "topic", "road", "address", "contact_id", "reason", "evidence", "at"),
        "suppression": ("kind", "topic", "address_key", "contact_id", "reason", "road", "evidence", "at"),
        "provider_alias": ("alias", "delivery_id"),
        "unplaced_event": ("fingerprint",),
    }
    with store.reading() as connection:
        return {name: sorted(map(repr, _rows(connection, name, columns))) for name, columns in tables.items()}


def _rows(connection: Any, name: str, columns: Sequence[str]) -> list[tuple[object, ...]]:
    table = schema.metadata.tables[name]
    return [tuple(row) for row in connection.execute(select(*(table.c[column] for column in columns)))]


def table(store: Store, name: str, *columns: str) -> list[tuple[object, ...]]:
    """The rows of a table in order of their keys."""
    of = schema.metadata.tables[name]
    with store.reading() as connection:
        found = connection.execute(select(*(of.c[each] for each in columns)).order_by(*of.primary_key))
        return [tuple(row) for row in found]
