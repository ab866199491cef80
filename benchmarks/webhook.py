"""SendGrid's Event Webhook: batches of 500 events taken into a ledger, against verifying and parsing the same."""

import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from benchmarks import ledgers
from benchmarks.measuring import Figure, Way, compare
from mlgroup_mail.delivery.merging import delivery_key
from mlgroup_mail.delivery.provider_events import in_our_words, read_events
from mlgroup_mail.delivery.receiving import receive
from mlgroup_mail.model import Contact, MailingRef
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.testing.sendgrid.batches import signed
from mlgroup_mail.testing.sendgrid.events import tell
from mlgroup_mail.testing.sendgrid.signing import SIGNATURE, TIMESTAMP, SignedBody, Signer
from mlgroup_mail.testing.sendgrid.truth import Accepted
from mlgroup_mail.web.webhook_signature import WebhookKeys

PEOPLE, REQUEST, BATCH = 30_000, 1000, 500


def run() -> list[Figure]:
    """Events a second, with the median and the 99th percentile of a batch's time in the name.

    The stories are the fake's usual ones: 2.3 events a person, of which one in 40 leads to a suppression.
    """
    signer = Signer()
    keys = WebhookKeys([signer.public_key])
    with tempfile.TemporaryDirectory() as name:
        store = _sent(Path(name))
        people = _accepted(store)
        requests = [people[start : start + REQUEST] for start in range(0, len(people), REQUEST)]
        # A request's events come in their order, and the next one's after them.
        told = signed([event for some in requests for event in tell(some, seed=1)], signer, size=BATCH)
        third = len(told) // 3
        # As the server does: what is there before the first request is looked through no more.
        gc.collect()
        gc.freeze()
        shares = iter([told[start : start + third] for start in range(0, 3 * third, third)])
        took: list[tuple[float, float]] = []

        def take_in() -> None:
            for request in next(shares):
                took.append(_timed(lambda request=request: _take_in(store, keys, request)))  # type: ignore[misc]

        def verify_and_parse() -> None:
            for request in told[:third]:
                _verify(keys, request)
                json.loads(request.body)

        ours, plain = compare(
            [
                Way(name="events of SendGrid taken in", count=third * BATCH, work=take_in),
                Way(name="the same, verified and parsed", count=third * BATCH, work=verify_and_parse),
            ]
        )
    waited, worked = (_middle_and_slowest(times) for times in zip(*took, strict=True))
    said = f"{ours.name}, batches of {BATCH}: {waited}; of the processor {worked}"
    return [replace(ours, name=said), plain]


def _take_in(store: Store, keys: WebhookKeys, request: SignedBody) -> None:
    _verify(keys, request)
    events = read_events(request.body)
    receive(store, [said for event in events if event and (said := in_our_words(event))], now=ledgers.AT)


def _verify(keys: WebhookKeys, request: SignedBody) -> None:
    assert keys.signed(request.body, signature=request.headers[SIGNATURE], timestamp=request.headers[TIMESTAMP])


def _sent(folder: Path) -> Store:
    """A ledger of which everybody was taken."""
    people = [Contact(address=f"person{number}@example.org", source="all") for number in range(PEOPLE)]
    source, ref = ledgers.make_ledger(folder, people), MailingRef("webhook", "issue")
    store = ledgers.open_ledger(folder)
    ledgers.approve(store, folder, source, ref)
    ledgers.plan(store, ref)
    ledgers.send(store, ref, 1000)
    return store


def _accepted(store: Store) -> list[Accepted]:
    with store.reading() as connection:
        (mailing,) = rows(connection, select(schema.mailing))
        deliveries = rows(connection, select(schema.delivery.c.id, schema.delivery.c.address))
    found = []
    for place, row in enumerate(deliveries):
        key = delivery_key(row["id"], mailing["token"])
        found.append(
            Accepted(
                address=row["address"],
                message_id=f"<{key}@example.org>",
                custom_args={"delivery": key},
                request=place // REQUEST,
                answer_id=f"kXBKLmcrQ7-{place // REQUEST:011}",
                at=ledgers.AT.timestamp(),
            )
        )
    return found


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, which others on the machine lengthen, and of the processor."""
    start, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - worked


def _middle_and_slowest(seconds: Sequence[float]) -> str:
    slowest = sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    return f"p50 {statistics.median(seconds) * 1000:.1f} ms, p99 {slowest * 1000:.1f} ms"
