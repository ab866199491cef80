"""Asking to stop: nothing new is claimed, and waits end. (By signals: tests/acceptance/test_stopping.py.)"""

import threading

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.store import Store
from mlgroup_mail.store.plans import batches_of
from tests.delivery.ledgers import RecordingTransport, claims_of, counts, merge
from tests.factories import NOON, reread


def go(store: Store, transport: RecordingTransport, stop: Stop) -> None:
    with store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    with claims_of(store) as claims:
        dispatch(
            batch,
            claims=claims,
            merge=merge,
            transport=transport,
            clock=FixedClock(NOON),
            progress=lambda done: None,
            stop=stop,
        )


def test_whoever_asks_in_the_middle_of_a_window_has_it_finished_and_no_other_begun(store: Store) -> None:
    stop = Stop()

    class AskedInTheMiddle(RecordingTransport):
        def _send(self, message, may_begin):  # type: ignore[no-untyped-def]
            stop.ask()
            return super()._send(message, may_begin)

    go(store, AskedInTheMiddle(), stop)
    assert counts(store) == {"accepted": 2, "planned": 4}


def test_whoever_asks_while_it_waits_for_the_server_has_nothing_claimed(store: Store) -> None:
    stop = Stop()

    class AskedWhileItConnects(RecordingTransport):
        def open(self) -> None:
            stop.ask()

    go(store, AskedWhileItConnects(), stop)
    assert counts(store) == {"planned": 6}


def test_a_wait_ends_when_somebody_asks() -> None:
    stop = Stop()
    waiting = threading.Thread(target=stop.wait, args=(3600.0,), daemon=True)
    waiting.start()
    stop.ask()
    waiting.join(60)
    assert not waiting.is_alive()
    stop.wait(3600.0)
    assert stop.asked
