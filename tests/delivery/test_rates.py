"""While a rate is waited out a mailing can be stopped, others go on, and what has to wait for long gets a new time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.model import ALL_TOPICS, Message, Outcome, Road, Signal, SignalKind
from mlgroup_mail.store import Store, rates
from mlgroup_mail.store.claims import Claims
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.rates import Rates, Wait
from tests.delivery.ledgers import RecordingTransport, counts, merge
from tests.factories import NOON, REF, reread


class Time:
    """One time for everybody: the ledger's, the clock's, and that of whoever waits."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.at: dict[float, Callable[[], object]] = {}

    def ledger_now(self, _: object) -> float:
        return 1_600_000_000.0 + self.passed

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def passes(self, seconds: float) -> None:
        self.passed += seconds
        for moment in [each for each in self.at if each <= self.passed]:
            self.at.pop(moment)()


class WaitsInTime(Stop):
    """Waiting moves that time on."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def wait(self, seconds: float) -> None:
        self._time.passes(seconds)


class Noting(RecordingTransport):
    """Remembers when each message began."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time
        self.moments: list[float] = []

    def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
        self.moments.append(self._time.passed)
        return super()._send(message, may_begin)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(rates, "ledger_now", made.ledger_now)
    return made


def run(store: Store, time: Time, limits: Rates, *, stop: Stop | None = None) -> tuple[Noting, Wait | None]:
    transport = Noting(time)
    with store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    with ownership(store, time) as owner:
        wait = dispatch(
            batch,
            claims=Claims(store, owner, transport="smtp", restrictions=restrictions, rates=limits),
            merge=merge,
            transport=transport,
            clock=time,
            progress=lambda done: None,
            stop=stop or WaitsInTime(time),
        )
    return transport, wait


def test_a_rate_a_minute_is_waited_out_until_all_have_gone(store: Store, time: Time) -> None:
    transport, wait = run(store, time, Rates(per_minute=4))
    assert wait is None
    assert counts(store) == {"accepted": 6}
    assert transport.moments == pytest.approx([0, 0, 30, 30, 60, 60], abs=0.6)
    assert all(sum(start <= at < start + 60 for at in transport.moments) <= 4 for start in transport.moments)


@pytest.mark.parametrize(("order", "state"), [("pause", "planned"), ("cancel", "cancelled")])
def test_an_order_to_stop_ends_the_waiting(store: Store, time: Time, order: str, state: str) -> None:
    time.at[10.0] = lambda: getattr(ordering, order)(store, REF, reason="", by="the editor", now=time.now())
    run(store, time, Rates(per_minute=2))
    assert counts(store) == {"accepted": 2, state: 4}
    assert time.passed < 11


def test_ctrl_c_ends_the_waiting(store: Store, time: Time) -> None:
    stop = WaitsInTime(time)
    time.at[10.0] = stop.ask
    run(store, time, Rates(per_minute=2), stop=stop)
    assert counts(store) == {"accepted": 2, "planned": 4}
    assert time.passed < 11


def test_a_day_is_not_waited_out(store: Store, time: Time) -> None:
    transport, wait = run(store, time, Rates(per_day=4))
    assert len(transport.begun) == 4
    assert wait
    assert wait.seconds > 23 * 3600
    assert time.passed == 0


def test_where_only_a_domain_waits_the_caller_goes_on_with_others(store: Store, time: Time) -> None:
    _, wait = run(store, time, Rates(domains={"office1.example": 1, "office2.example": 1}))
    assert (counts(store), wait) == ({"accepted": 6}, None), "one person each"
    assert time.passed == 0


def test_who_opts_out_while_a_rate_is_waited_out_gets_nothing(store: Store, time: Time) -> None:
    signal = Signal(kind=SignalKind.OPT_OUT, topic=ALL_TOPICS, road=Road.PAGE, at=NOON, contact_id=6, evidence="click")
    time.at[10.0] = lambda: apply_signal(store, signal, now=time.now())
    run(store, time, Rates(per_minute=4))
    assert counts(store) == {"accepted": 5, "excluded": 1}
