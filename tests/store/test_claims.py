"""Windows: durable, of the size asked for, never the same delivery twice, never anybody who opted out."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.applying import apply_signal, lift_suppressions
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.model import (
    ALL_TOPICS,
    Batch,
    ExclusionReason,
    MailingState,
    Outcome,
    OutcomeKind,
    Road,
    Signal,
    SignalKind,
)
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.back_off import BACK_OFF
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.mailings import delivery_counts
from mlgroup_mail.store.moved_deliveries import redirect
from mlgroup_mail.store.owners import begin_owner
from mlgroup_mail.store.plans import add_variant, batches_of
from mlgroup_mail.store.transactions import rows
from tests.delivery.ledgers import RecordingTransport, merge
from tests.factories import NOON, REF, make_store, planned_mailing, reread

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A ledger with a mailing to six people in batches of four, due now."""
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 6, batch_size=4)
        yield made


@pytest.fixture
def claims(store: Store) -> Iterator[Claims]:
    owner = begin_owner(store, now=NOON)
    with owner.lock_file:
        yield Claims(store, owner, transport="outbox", restrictions=restrictions)


@pytest.fixture
def batch(store: Store) -> Batch:
    return batches(store)[0]


def batches(store: Store) -> list[Batch]:
    with store.reading() as connection:
        return batches_of(connection, reread(store))


def counts(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        found = delivery_counts(connection, reread(store).mailing_id)
    return {str(state): number for state, number in found.items() if number}


def people(window: Window | None) -> list[int]:
    return [each.contact_id for each in window.deliveries] if window else []


def answers(window: Window | None, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> list[Outcome]:
    return [Outcome(attempt_id=each.attempt_id, kind=kind) for each in window.deliveries] if window else []


def opt_out(store: Store, person: int, *, topic: str = ALL_TOPICS, kind: SignalKind = SignalKind.OPT_OUT) -> None:
    signal = Signal(kind=kind, topic=topic, road=Road.PAGE, at=NOON, contact_id=person, evidence="a click")
    apply_signal(store, signal, now=NOON)


def test_windows_follow_each_other_until_the_batch_is_done(store: Store, claims: Claims, batch: Batch) -> None:
    first = claims.next(batch, 3, record=[], now=lambda: NOON)
    assert people(first) == [1, 2, 3]
    second = claims.next(batch, 3, record=answers(first), now=lambda: NOON)
    assert people(second) == [4], "the other two are in the next batch"
    assert claims.next(batch, 3, record=answers(second), now=lambda: NOON) is None
    assert counts(store) == {"accepted": 4, "planned": 2}


def test_an_attempt_is_on_disk_before_anything_is_handed_over(store: Store, claims: Claims, batch: Batch) -> None:
    window = claims.next(batch, 2, record=[], now=lambda: NOON)
    with store.engine.connect() as other:
        assert other.execute(select(func.count()).select_from(schema.attempt)).scalar_one() == len(people(window))
        assert other.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert other.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2, "FULL: a commit survives a power cut"


def test_who_opts_out_does_not_bring_the_log_into_the_database_while_claims_do(store: Store) -> None:
    """It takes a hundred times as long as an opt-out, whose reader waits for the answer."""
    pages = "PRAGMA wal_autocheckpoint"
    with store.deciding() as deciding:
        patient = deciding.exec_driver_sql(pages).scalar_one()
    with store.claiming() as claiming:
        assert claiming.exec_driver_sql(pages).scalar_one() * 5 == patient


def test_nothing_goes_before_its_time_or_after_its_end(store: Store, claims: Claims, batch: Batch) -> None:
    assert claims.next(batch, 2, record=[], now=lambda: NOON - MINUTE) is None
    assert claims.next(batch, 2, record=[], now=lambda: NOON + timedelta(hours=48)) is None
    assert counts(store) == {"planned": 6}
    assert claims.next(batch, 2, record=[], now=lambda: NOON + timedelta(hours=47, minutes=59)) is not None


@pytest.mark.parametrize("order", ["pause", "cancel"])
def test_an_order_to_stop_counts_from_the_next_claim_on(store: Store, claims: Claims, batch: Batch, order: str) -> None:
    window = claims.next(batch, 2, record=[], now=lambda: NOON)
    getattr(ordering, order)(store, REF, reason="", by="the editor", now=NOON)
    assert claims.next(batch, 2, record=answers(window), now=lambda: NOON) is None
    assert counts(store)["accepted"] == 2, "what was under way keeps its answer"


def test_who_opted_out_since_planning_is_excluded_for_good_and_the_window_is_filled(
    store: Store, claims: Claims, batch: Batch
) -> None:
    opt_out(store, 1)
    opt_out(store, 2, topic="newsletter")
    opt_out(store, 3, kind=SignalKind.REVIEW)
    opt_out(store, 4, topic="calls")
    window = claims.next(batch, 2, record=[], now=lambda: NOON)
    assert people(window) == [4]
    lift_suppressions(
        store, address="person1@office1.example", topic=ALL_TOPICS, by="the editor", reason="asked", now=NOON
    )
    assert claims.next(batch, 2, record=answers(window), now=lambda: NOON) is None
    with store.reading() as connection:
        found = rows(connection, select(schema.delivery).where(schema.delivery.c.state == "excluded"))
    assert {row["contact_id"]: row["reason"] for row in found} == {1: "opted_out", 2: "opted_out_topic", 3: "held"}


def test_the_mailbox_of_somebody_excluded_is_free_for_whoever_has_it_now(
    store: Store, claims: Claims, batch: Batch
) -> None:
    """One mailbox gets a mailing once; who was left out of it has got none."""
    opt_out(store, 1, kind=SignalKind.REVIEW)
    assert people(claims.next(batch, 1, record=[], now=lambda: NOON)) == [2]
    with store.writing() as connection:
        assert redirect(connection, 3, "person1@office1.example", now=NOON) == (1, 0)
        assert redirect(connection, 4, "person1@office1.example", now=NOON) == (0, 1), "it is person 3's by now"


def test_those_of_one_claim_group_go_together_and_with_nobody_else(store: Store, claims: Claims, batch: Batch) -> None:
    """A request that was refused as a whole is claimed by halves, until it is known for whom."""
    change(store, [2, 4], claim_group=10)
    change(store, [3], claim_group=11)
    windows = drain(claims, batch, 4)
    assert sorted(windows) == [[1], [2, 4], [3]]


@pytest.mark.parametrize(("one_variant", "windows"), [(True, [[1, 3], [2, 4]]), (False, [[1, 2, 3, 4]])])
def test_a_window_is_of_one_variant_where_one_request_says_what_all_have_in_common(
    store: Store, claims: Claims, batch: Batch, one_variant: bool, windows: list[list[int]]
) -> None:
    with store.writing() as connection:
        other = add_variant(connection, batch.mailing_id, key="fr", compiled="{}")
    change(store, [2, 4], variant_id=other)
    found = drain(claims, batch, 4, one_variant=one_variant)
    assert [sorted(window) for window in found] == windows


def change(store: Store, people: list[int], **values: object) -> None:
    """Their deliveries, otherwise than planning has made them."""
    with store.writing() as connection:
        table = schema.delivery
        connection.execute(update(table).where(table.c.contact_id.in_(people)).values(**values))


def drain(claims: Claims, batch: Batch, size: int, *, one_variant: bool = False) -> list[list[int]]:
    """Whom each window has, until nobody is left; all are accepted."""
    found: list[list[int]] = []
    window = None
    while window := claims.next(batch, size, record=answers(window), now=lambda: NOON, one_variant=one_variant):
        found.append(people(window))
    return found


class TestManyWhoOptedOutAfterPlanning:
    """They are excluded in several claims, so that whoever opts out meanwhile waits for one of them only."""

    PEOPLE = 5000

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with closing(make_store(tmp_path / "many")) as made:
            planned_mailing(made, self.PEOPLE, batch_size=self.PEOPLE)
            yield made

    @pytest.fixture
    def claims(self, store: Store) -> Iterator[Claims]:
        """All have opted out but the last."""
        owner = begin_owner(store, now=NOON)

        def restrict(_connection: object, asked: Mapping[int, str], _topic: str) -> dict[int, ExclusionReason]:
            return dict.fromkeys(asked.keys() - {self.PEOPLE}, ExclusionReason.OPTED_OUT)

        with owner.lock_file:
            yield Claims(store, owner, transport="outbox", restrictions=restrict)

    def test_another_writer_has_its_turn_in_between(self, store: Store, claims: Claims, batch: Batch) -> None:
        left = []
        window = None
        while window := claims.next(batch, 20, record=answers(window), now=lambda: NOON):
            opt_out(store, 1)
            left.append(counts(store).get("planned", 0))
            if people(window):
                break
        assert left == [4500, 4000, 3500, 3000, 2500, 2000, 1500, 1000, 500, 0]
        assert people(window) == [self.PEOPLE]

    def test_the_main_path_goes_on_until_whoever_is_left_has_it(self, store: Store, claims: Claims) -> None:
        transport = RecordingTransport()
        dispatch(
            batches(store)[0],
            claims=claims,
            merge=merge,
            transport=transport,
            clock=FixedClock(NOON),
            progress=lambda done: None,
            stop=Stop(),
        )
        assert len(transport.begun) == 1
        assert counts(store) == {"excluded": self.PEOPLE - 1, "accepted": 1}


def test_a_deferred_one_waits_longer_each_time(store: Store, claims: Claims, batch: Batch) -> None:
    now = NOON
    for pause in BACK_OFF[:3]:
        window = claims.next(batch, 1, record=[], now=FixedClock(now).now)
        assert people(window) == [1]
        claims.record(answers(window, OutcomeKind.DEFERRED), now=now)
        early = claims.next(batch, 1, record=[], now=FixedClock(now + pause - timedelta(seconds=1)).now)
        assert people(early) != [1]
        claims.record(answers(early), now=now)
        now += pause


def test_a_server_s_own_waiting_time_is_kept(store: Store, claims: Claims, batch: Batch) -> None:
    (window_of_one,) = [claims.next(batch, 1, record=[], now=lambda: NOON)]
    assert window_of_one
    (claimed,) = window_of_one.deliveries
    late = Outcome(attempt_id=claimed.attempt_id, kind=OutcomeKind.DEFERRED, retry_after=3600.0)
    claims.record([late], now=NOON)
    with store.reading() as connection:
        (row,) = rows(connection, select(schema.delivery).where(schema.delivery.c.id == claimed.delivery_id))
    assert row["next_at"] == NOON + timedelta(hours=1)


def test_an_answer_told_twice_or_changed_counts_once(store: Store, claims: Claims, batch: Batch) -> None:
    window = claims.next(batch, 2, record=[], now=lambda: NOON)
    claims.record(answers(window), now=NOON)
    claims.record(answers(window), now=NOON)
    claims.record(answers(window, OutcomeKind.REFUSED), now=NOON)
    claims.record(answers(window, OutcomeKind.DEFERRED), now=NOON)
    assert counts(store) == {"accepted": 2, "planned": 4}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_several_processes_drain_a_mailing_and_no_delivery_is_in_two_windows(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    with closing(make_store(tmp_path / "several", url)) as store:
        planned_mailing(store, 60, batch_size=40)
        together = threading.Barrier(4)
        taken = [seen for part in in_threads(4, lambda _: _drain(store, together)) for seen in part]
        assert Counter(taken) == Counter(range(1, 61))
        assert counts(store) == {"accepted": 60}
        assert reread(store).state is MailingState.SENDING
        with store.reading() as connection:
            attempts = rows(connection, select(schema.attempt.c.delivery_id, schema.attempt.c.owner_id))
        assert Counter(row["delivery_id"] for row in attempts) == Counter(range(1, 61))


def in_threads(number: int, work: Callable[[int], list[int]]) -> list[list[int]]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, range(number)))


def _drain(store: Store, together: threading.Barrier) -> list[int]:
    owner = begin_owner(store, now=NOON)
    taken: list[int] = []
    with owner.lock_file:
        claims = Claims(store, owner, transport="outbox", restrictions=restrictions)
        together.wait(30)
        for batch in batches(store):
            window = None
            while window := claims.next(batch, 2, record=answers(window), now=lambda: NOON):
                taken += people(window)
    return taken
