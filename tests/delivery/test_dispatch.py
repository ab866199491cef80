"""The main path: a claim, a hand-over, an answer, and what stays when any of them fails."""

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from mlgroup_mail.delivery import dispatch as main_path
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Message, Outcome, OutcomeKind
from mlgroup_mail.store import Store
from mlgroup_mail.store.claims import Claimed
from mlgroup_mail.store.plans import batches_of
from tests.delivery.ledgers import RecordingTransport, claims_of, counts, deliveries, dispatch_all, merge
from tests.factories import reread


class Failing(RecordingTransport):
    """Breaks down at its `nth` window: while it hands over, or when it is to get ready for the next."""

    def __init__(self, nth: int, error: BaseException, *, at: str) -> None:
        super().__init__()
        self._left, self._error, self._at = nth, error, at

    def open(self) -> None:
        if self._at == "open":
            self._count()

    def send(self, messages: Iterable[Message], may_begin: MayBegin, *, more: bool = False) -> list[Outcome]:
        if self._at == "send":
            self._count()
        return super().send(messages, may_begin)

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise self._error


def test_everybody_is_handed_over_once_and_progress_is_told(store: Store) -> None:
    transport = RecordingTransport()
    assert dispatch_all(store, transport) == [2, 2, 2]
    assert len(transport.begun) == len(set(transport.begun)) == 6
    assert counts(store) == {"accepted": 6}
    assert dispatch_all(store, transport) == []
    assert len(transport.begun) == 6


def test_where_the_server_cannot_be_reached_nothing_is_claimed(store: Store) -> None:
    with pytest.raises(TransportError):
        dispatch_all(store, Failing(1, TransportError("down"), at="open"))
    assert counts(store) == {"planned": 6}


def test_where_the_server_goes_away_in_between_what_it_had_answered_is_kept(store: Store) -> None:
    with pytest.raises(TransportError):
        dispatch_all(store, Failing(3, TransportError("down"), at="open"))
    assert counts(store) == {"planned": 2, "accepted": 4}
    transport = RecordingTransport()
    dispatch_all(store, transport)
    assert len(transport.begun) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a fault of ours")], ids=["Ctrl-C", "a fault"])
def test_who_stops_it_in_the_middle_leaves_one_window_in_doubt(store: Store, error: BaseException) -> None:
    with pytest.raises(type(error)):
        dispatch_all(store, Failing(2, error, at="send"))
    assert counts(store) == {"planned": 2, "accepted": 2, "uncertain": 2}
    transport = RecordingTransport()
    dispatch_all(store, transport)
    assert counts(store) == {"accepted": 4, "uncertain": 2}
    assert len(transport.begun) == 2


def test_what_was_not_begun_in_time_is_handed_back_and_claimed_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that slept between claim and first byte: an opt-out may have come in since."""
    slept = iter([1e9, 1e9])
    awake = main_path.boot_seconds
    monkeypatch.setattr(main_path, "boot_seconds", lambda: next(slept, None) or awake())
    transport = RecordingTransport()
    assert dispatch_all(store, transport) == [2, 2, 2, 2]
    assert len(transport.begun) == len(set(transport.begun)) == 6
    assert counts(store) == {"accepted": 6}


@pytest.mark.parametrize(
    ("kind", "state"),
    [(OutcomeKind.REFUSED, "refused"), (OutcomeKind.DEFERRED, "deferred"), (OutcomeKind.UNCERTAIN, "uncertain")],
)
def test_every_answer_has_its_state_and_none_is_asked_for_again_at_once(
    store: Store, kind: OutcomeKind, state: str
) -> None:
    transport = RecordingTransport(kind)
    dispatch_all(store, transport)
    dispatch_all(store, transport)
    assert counts(store) == {state: 6}
    assert len(transport.begun) == 6


def test_a_message_that_cannot_be_made_is_put_off_and_the_others_go(store: Store) -> None:
    def merge_all_but_one(claimed: Claimed) -> Message:
        if claimed.delivery_id == 2:
            raise ValueError("person2@office2.example has a field that cannot be written")
        return merge(claimed)

    transport = RecordingTransport()
    dispatch_all(store, transport, merge=merge_all_but_one)
    assert counts(store) == {"accepted": 5, "deferred": 1}
    assert len(transport.begun) == 5
    (put_off,) = [row for row in deliveries(store) if row["state"] == "deferred"]
    assert put_off["reason"] == "the message could not be made (ValueError)", "and no word of whom or what"


class OneByOne(RecordingTransport):
    """Tells each answer as it comes, and is interrupted before the second of a window."""

    def send(self, messages: Iterable[Message], may_begin: MayBegin, *, more: bool = False) -> Iterator[Outcome]:
        for number, message in enumerate(messages):
            if number:
                raise KeyboardInterrupt
            yield self._send(message, may_begin)


def test_an_interruption_keeps_the_answers_that_are_known(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        dispatch_all(store, OneByOne())
    assert counts(store) == {"planned": 4, "accepted": 1, "uncertain": 1}


class Lagging(RecordingTransport):
    """Keeps the last answer of each window in the air while the next is claimed, as a slow server does."""

    def __init__(self, *, breaks_at: int = 0) -> None:
        super().__init__()
        self.late: list[Outcome] = []
        self.windows: list[int] = []
        self._breaks_at = breaks_at

    @property
    def window(self) -> int:  # type: ignore[override]
        return 3 - len(self.late)

    def open(self) -> None:
        self._breaks_at -= 1
        if self._breaks_at == 0:
            raise TransportError("the line is cut")

    def send(self, messages: Iterable[Message], may_begin: MayBegin, *, more: bool = False) -> list[Outcome]:
        known = self.late + super().send(messages, may_begin)
        if more:
            self.windows.append(len(known))
        at = len(known) - 1 if more else len(known)
        known, self.late = known[:at], known[at:]
        return known


def test_what_is_in_the_air_while_the_next_are_claimed_is_recorded_with_them_and_at_the_end(store: Store) -> None:
    transport = Lagging()
    assert sum(dispatch_all(store, transport)) == 6
    assert counts(store) == {"accepted": 6}
    assert len(transport.begun) == len(set(transport.begun)) == 6
    assert max(transport.windows) <= 3, "so many may be in doubt at once"


def test_what_is_in_the_air_where_the_server_goes_away_is_waited_for_and_recorded(store: Store) -> None:
    transport = Lagging(breaks_at=2)
    with pytest.raises(TransportError):
        dispatch_all(store, transport)
    assert transport.late == []
    assert counts(store) == {"accepted": len(transport.begun), "planned": 6 - len(transport.begun)}


def test_what_is_in_the_air_is_heard_before_a_connection_is_made_anew(store: Store) -> None:
    heard_before: list[bool] = []

    class Worn(Lagging):
        def ready(self) -> bool:
            return False

        def open(self) -> None:
            heard_before.append(not self.late and "attempting" not in counts(store))

    dispatch_all(store, Worn())
    assert all(heard_before)
    assert counts(store) == {"accepted": 6}


class Paced(RecordingTransport):
    """Has to wait before each window, and looks at the ledger meanwhile."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.seen: list[dict[str, int]] = []

    def ready(self) -> bool:
        return False

    def open(self) -> None:
        self.seen.append(counts(self._store))


def test_nothing_begins_where_the_end_has_passed_while_a_claim_had_to_wait(store: Store) -> None:
    stop_at = reread(store).stop_at
    clock, transport = SettableClock(stop_at - timedelta(seconds=1)), Opened()
    with store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    with ThreadPoolExecutor(1) as pool, claims_of(store, clock.at) as claims:
        with store.deciding():
            sending = pool.submit(
                main_path.dispatch,
                batch,
                claims=claims,
                merge=merge,
                transport=transport,
                clock=clock,
                progress=lambda sent: None,
                stop=Stop(),
            )
            assert transport.opened.wait(30), "it is about to claim"
            time.sleep(0.2)  # Were it quicker than the claim, the test would pass for nothing, never fail for nothing.
            clock.at = stop_at
        assert sending.result(30) is None
    assert transport.begun == []


class Opened(RecordingTransport):
    """Tells when it was made ready."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = threading.Event()

    def open(self) -> None:
        self.opened.set()


class SettableClock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def test_what_is_known_is_in_the_ledger_before_a_rate_is_waited_out(store: Store) -> None:
    transport = Paced(store)
    dispatch_all(store, transport)
    assert transport.seen == [
        {"planned": 6},
        {"planned": 4, "accepted": 2},
        {"planned": 2, "accepted": 4},
        {"accepted": 6},
    ]
