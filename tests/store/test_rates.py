"""What a mail server is given in a minute and a day holds over all processes, and for each receiving domain."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.model import Batch, MailingRef, MailingState, Outcome, OutcomeKind, Scope
from mlgroup_mail.store import Store, rates, schema
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.clock_marks import end_waits
from mlgroup_mail.store.owners import begin_owner
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.rates import Places, Rates, Wait, used_today
from mlgroup_mail.store.transactions import rows
from tests.factories import NOON, REF, make_store, planned_mailing, reread

EPOCH = 1_600_000_000.0


class Time:
    """The ledger's clock, which only a test moves."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self, _: object) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(rates, "ledger_now", clock)
    monkeypatch.setattr(rates, "ledger_now_guessed", clock)
    return clock


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A ledger with a mailing to forty people at seven domains, due now."""
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        planned_mailing(made, 40, batch_size=20)
        yield made


Process = Callable[[Rates], Claims]


@pytest.fixture
def process(store: Store) -> Iterator[Process]:
    """`process(rates)` is one more process that claims."""
    with ExitStack() as stack:

        def begin(limits: Rates) -> Claims:
            owner = begin_owner(store, now=NOON)
            stack.enter_context(owner.lock_file)
            return Claims(store, owner, transport="smtp", restrictions=restrictions, rates=limits)

        yield begin


def batch(store: Store, number: int = 0) -> Batch:
    with store.reading() as connection:
        return batches_of(connection, reread(store))[number]


def answers(window: Window, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> list[Outcome]:
    return [Outcome(attempt_id=each.attempt_id, kind=kind) for each in window.deliveries]


def claimed(found: Window | Wait | None) -> Window:
    assert isinstance(found, Window)
    return found


def waiting(found: Window | Wait | None) -> Wait:
    assert isinstance(found, Wait)
    return found


def domains(window: Window) -> list[str]:
    return [each.address.rpartition("@")[2] for each in window.deliveries]


def test_two_processes_share_a_minute(store: Store, process: Process, time: Time) -> None:
    limits = Rates(per_minute=6)
    first, second, due = process(limits), process(limits), batch(store)
    window = claimed(first.next(due, 2, record=[], now=lambda: NOON))
    assert len(window.deliveries) == 2
    assert waiting(second.next(due, 2, record=[], now=lambda: NOON)) == Wait(seconds=20.0, scope=Scope.SERVER)
    time.now += 20
    assert len(claimed(second.next(due, 2, record=[], now=lambda: NOON)).deliveries) == 2
    assert waiting(first.next(due, 2, record=answers(window), now=lambda: NOON)).seconds == 20.0, (
        "it is spread over the minute"
    )


def test_nothing_is_claimed_while_it_has_to_wait_and_what_was_known_is_recorded(
    store: Store, process: Process, time: Time
) -> None:
    claims, due = process(Rates(per_minute=6)), batch(store)
    window = claimed(claims.next(due, 2, record=[], now=lambda: NOON))
    waiting(claims.next(due, 2, record=answers(window), now=lambda: NOON))
    with store.reading() as connection:
        attempts = rows(connection, select(schema.attempt))
    assert [each["outcome"] for each in attempts] == ["accepted", "accepted"]
    assert time.now == EPOCH


def test_a_process_that_dies_has_taken_too_much_and_never_too_little(
    store: Store, process: Process, time: Time
) -> None:
    """Its messages may have begun as late as thirty seconds after the claim; until a minute later they count."""
    limits = Rates(per_minute=4)
    process(limits).next(batch(store), 4, record=[], now=lambda: NOON)
    other = process(limits)
    time.now += 60
    assert waiting(other.next(batch(store), 4, record=[], now=lambda: NOON)).seconds == pytest.approx(30, abs=0.2)
    time.now += 30.2
    assert len(claimed(other.next(batch(store), 4, record=[], now=lambda: NOON)).deliveries) == 4


def test_a_day_s_quota_counts_every_24_hours_and_the_rest_gets_a_new_time(
    store: Store, process: Process, time: Time
) -> None:
    claims, due = process(Rates(per_day=10)), batch(store)
    window = claimed(claims.next(due, 20, record=[], now=lambda: NOON))
    assert len(window.deliveries) == 10
    time.now += 3600
    wait = waiting(claims.next(due, 20, record=answers(window), now=lambda: NOON + timedelta(hours=1)))
    assert wait.scope is Scope.SERVER
    assert wait.seconds == pytest.approx(23 * 3600 + 30, abs=300)
    claims.put_off(due, wait, now=NOON + timedelta(hours=1))
    assert batch(store).due_at > NOON + timedelta(hours=23)
    assert batch(store, 1).due_at > NOON + timedelta(hours=23)
    with store.reading() as connection:
        assert used_today(connection, "smtp") == 10
    assert settle(store, REF, now=NOON + timedelta(hours=22)).state is MailingState.SENDING, "it is not overdue"
    assert settle(store, REF, now=NOON + timedelta(hours=27)).state is MailingState.HELD, "and later it is"
    time.now += 24 * 3600
    with store.reading() as connection:
        assert used_today(connection, "smtp") == 0


def test_a_domain_that_is_full_waits_and_the_others_go(store: Store, process: Process, time: Time) -> None:
    claims, due = process(Rates(domains={"office1.example": 1})), batch(store)
    window = claimed(claims.next(due, 20, record=[], now=lambda: NOON))
    assert domains(window).count("office1.example") == 1
    assert len(window.deliveries) == 18, "two of twenty are at that domain besides"
    assert waiting(claims.next(due, 20, record=answers(window), now=lambda: NOON)) == Wait(
        seconds=60.0, scope=Scope.DOMAIN
    )
    other = claimed(claims.next(batch(store, 1), 20, record=[], now=lambda: NOON))
    assert "office1.example" not in domains(other)
    time.now += 60.2
    assert domains(claimed(claims.next(due, 20, record=[], now=lambda: NOON))) == ["office1.example"]


def test_a_limit_that_is_taken_out_of_the_settings_holds_nobody_back(
    store: Store, process: Process, time: Time
) -> None:
    window = claimed(process(Rates(per_domain=1)).next(batch(store), 20, record=[], now=lambda: NOON))
    assert len(set(domains(window))) == len(window.deliveries) == 7
    free = process(Rates())
    assert len(claimed(free.next(batch(store), 20, record=answers(window), now=lambda: NOON)).deliveries) == 13
    assert free.next(batch(store), 20, record=[], now=lambda: NOON) is None, "nor is there a wait where nobody is left"


def test_every_domain_has_the_rate_of_all_unless_it_has_its_own() -> None:
    limits = Rates(per_domain=10, domains={"office.example": 3})
    found = [limits.domain_limit(name) for name in ("office.example", "sub.office.example", "myoffice.example")]
    assert [limit.number for limit in found if limit] == [3, 3, 10]
    assert Rates().domain_limit("office.example") is None


def test_a_test_message_counts_as_well(store: Store, process: Process, time: Time) -> None:
    limits = Rates(per_minute=1)
    with store.writing() as connection:
        assert Places(connection, limits, "smtp").take(["office1.example"]) == [True]
    assert waiting(process(limits).next(batch(store), 2, record=[], now=lambda: NOON)).seconds == 60.0
    with store.writing() as connection:
        assert Places(connection, limits, "smtp").take(["office1.example"]) == Wait(seconds=60.0, scope=Scope.SERVER)


def test_what_is_over_is_forgotten(store: Store, process: Process, time: Time) -> None:
    claims, due = process(Rates(per_minute=2, per_day=1000)), batch(store)
    record: list[Outcome] = []
    for _ in range(10):
        record = answers(claimed(claims.next(due, 2, record=record, now=lambda: NOON)))
        time.now += 91
    with store.reading() as connection:
        left = rows(connection, select(schema.rate_use).where(schema.rate_use.c.limit == "smtp, 60 s"))
    assert len(left) <= 6


def test_without_a_rate_nothing_is_written_about_it(store: Store, process: Process) -> None:
    claimed(process(Rates()).next(batch(store), 20, record=[], now=lambda: NOON))
    with store.reading() as connection:
        assert rows(connection, select(schema.rate)) == rows(connection, select(schema.rate_use)) == []


@pytest.mark.parametrize("limits", [Rates(per_minute=4), Rates(per_day=4), Rates(per_domain=1)], ids=repr)
def test_trusting_the_clock_ends_what_a_clock_that_was_ahead_made_of_the_rates(
    store: Store, process: Process, time: Time, limits: Rates
) -> None:
    """Neither the limits nor the batches that were put off for them wait for a day that is still to come."""
    right, wrong = EPOCH, EPOCH + 2 * 86_400
    time.now = wrong
    ahead = process(limits)
    window = claimed(ahead.next(batch(store), 4, record=[], now=lambda: NOON))
    ahead.record(answers(window), now=NOON)
    ahead.put_off(batch(store), Wait(seconds=3600, scope=Scope.SERVER), now=NOON + timedelta(hours=40))
    time.now = right
    with store.writing() as connection:
        end_waits(connection, now=datetime.fromtimestamp(right, UTC))
    assert batch(store).due_at <= NOON
    assert batch(store, 1).due_at <= NOON
    assert len(claimed(process(limits).next(batch(store), 4, record=[], now=lambda: NOON)).deliveries) == 4


def test_trusting_the_clock_leaves_what_went_just_now_and_the_spacing_of_what_is_not_begun(
    store: Store, process: Process, time: Time
) -> None:
    now = datetime.fromtimestamp(EPOCH, UTC)
    process(Rates(per_day=4)).next(batch(store), 4, record=[], now=lambda: NOON)
    other = planned_mailing(store, 4, ref=MailingRef("spring", "issue"), batch_size=2)
    with store.writing() as connection:
        second = (schema.batch.c.mailing_id == other.mailing_id, schema.batch.c.number == 2)
        connection.execute(update(schema.batch).where(*second).values(due_at=NOON + timedelta(hours=1)))
        end_waits(connection, now=now)
    with store.reading() as connection:
        assert used_today(connection, "smtp") == 4
        assert batches_of(connection, other)[1].due_at == NOON + timedelta(hours=1)
