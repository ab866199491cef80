"""Several mailings in one run have turns: none waits for another's domains, and canaries keep their places."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from mlgroup_mail.delivery import sending, wall_clock
from mlgroup_mail.delivery.sending import Sending, send_due
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.errors import ClockError
from mlgroup_mail.model import Contact, MailingRef, MailingStep, Message, Outcome, OutcomeKind
from mlgroup_mail.model.canary import CanaryPlace
from mlgroup_mail.store import Store, rates
from mlgroup_mail.store.canaries import write_canaries
from mlgroup_mail.store.plans import PlannedRecipient, add_variant, count_planned, end_planning, write_chunk
from mlgroup_mail.store.rates import Rates
from mlgroup_mail.store.transitions import move_mailing
from tests.delivery.ledgers import RecordingTransport, counts, merge
from tests.delivery.test_rates import Time, WaitsInTime
from tests.factories import NOON, REF, add_contacts, approved_mailing, make_contact, make_store, reread

URGENT = MailingRef("urgent", "issue")
OTHER_CONNECTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
)
BIG, BOARD, TEAM = "big.example", "board.example", "team.example"


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(rates, "ledger_now", made.ledger_now)
    monkeypatch.setattr(wall_clock, "boot_seconds", lambda: made.passed)
    return made


@pytest.fixture
def made_ready(monkeypatch: pytest.MonkeyPatch) -> list[MailingRef]:
    """The mailings whose messages were made ready to be made; what they say is of no interest here."""
    found: list[MailingRef] = []

    def ready(_parts: object, mailing: sending.MailingRow) -> object:
        found.append(mailing.ref)
        return merge

    monkeypatch.setattr(sending, "_ready_to_merge", ready)
    return found


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path / "turns")) as made:
        yield made


class Noting(RecordingTransport):
    """Remembers when each address had its message."""

    def __init__(self, time: Time, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> None:
        super().__init__(kind)
        self._time = time
        self.when: dict[str, float] = {}

    def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
        self.when[message.address] = self._time.passed
        return super()._send(message, may_begin)


def people(store: Store, *addresses: str) -> list[Contact]:
    return add_contacts(store, [make_contact(number, address=each) for number, each in enumerate(addresses, start=1)])


def plan(
    store: Store,
    ref: MailingRef,
    contacts: Sequence[Contact],
    *,
    first: Collection[Contact] = (),
    last: Collection[Contact] = (),
) -> None:
    mailing = approved_mailing(store, ref=ref)
    with store.writing() as connection:
        move_mailing(connection, mailing.mailing_id, MailingStep.BEGIN_PLANNING, now=NOON)
        variant = add_variant(connection, mailing.mailing_id, key="[]", compiled="{}")

        def recipients(chosen: Collection[Contact]) -> list[PlannedRecipient]:
            return [PlannedRecipient(contact=each, variant_id=variant, fields={}) for each in chosen]

        listed = [each for each in contacts if each not in first and each not in last]
        write_chunk(
            connection, mailing, recipients=recipients(listed), exclusions=[], cursor=10**6, batch_size=500, now=NOON
        )
        planned = count_planned(connection, mailing)
        for place, chosen in ((CanaryPlace.FIRST, first), (CanaryPlace.LAST, last)):
            write_canaries(connection, mailing, place, recipients=recipients(chosen), exclusions=[], now=NOON)
        end_planning(connection, mailing, planned=planned, now=NOON)


def send(store: Store, time: Time, *refs: MailingRef, limits: Rates, transport: Noting | None = None) -> Noting:
    transport = transport or Noting(time)
    parts = Sending(
        store=store,
        transport=transport,
        clock=time,
        links=lambda topic: pytest.fail("no link is made here"),
        allowed_domains=None,
        rates=limits,
        stop=WaitsInTime(time),
    )
    send_due(parts, refs)
    return transport


@pytest.mark.usefixtures("made_ready")
def test_a_domain_that_waits_does_not_hold_up_the_next_mailing(empty: Store, time: Time) -> None:
    *big, boss = people(empty, *(f"p{number}@{BIG}" for number in range(8)), f"boss@{BOARD}")
    plan(empty, REF, big)
    plan(empty, URGENT, [boss])
    transport = send(empty, time, REF, URGENT, limits=Rates(domains={BIG: 2}))
    assert len(transport.begun) == 9
    assert transport.when[boss.address] < 1
    assert transport.when[big[-1].address] > 60, "the limit holds meanwhile"


def test_what_its_turns_need_is_made_ready_once(empty: Store, time: Time, made_ready: list[MailingRef]) -> None:
    *big, boss = people(empty, *(f"p{number}@{BIG}" for number in range(8)), f"boss@{BOARD}")
    plan(empty, REF, big)
    plan(empty, URGENT, [boss])
    send(empty, time, REF, URGENT, limits=Rates(domains={BIG: 2}))
    assert made_ready == [REF, URGENT]


@pytest.mark.usefixtures("made_ready")
def test_the_last_canaries_wait_for_those_who_wait_for_a_domain(empty: Store, time: Time) -> None:
    *big, canary = people(empty, *(f"p{number}@{BIG}" for number in range(6)), f"canary@{TEAM}")
    plan(empty, REF, [*big, canary], last=[canary])
    transport = send(empty, time, REF, limits=Rates(domains={BIG: 2}))
    assert transport.begun[-1] == canary.address
    assert counts(empty) == {"accepted": 7}


@pytest.mark.usefixtures("made_ready")
def test_the_last_canaries_do_not_wait_for_whoever_was_put_off(empty: Store, time: Time) -> None:
    """They have had their try; the next may be hours away."""

    class Greylisting(Noting):
        def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
            self.kind = OutcomeKind.ACCEPTED if TEAM in message.address else OutcomeKind.DEFERRED
            return super()._send(message, may_begin)

    *others, canary = people(empty, f"p1@{BIG}", f"p2@{BOARD}", f"canary@{TEAM}")
    plan(empty, REF, [*others, canary], last=[canary])
    send(empty, time, REF, limits=Rates(), transport=Greylisting(time))
    assert counts(empty) == {"accepted": 1, "deferred": 2}


@pytest.mark.usefixtures("made_ready")
def test_the_first_canaries_go_before_all_others_of_their_mailing_and_hold_up_no_other(
    empty: Store, time: Time
) -> None:
    one, two, member, boss = people(empty, f"one@{TEAM}", f"two@{TEAM}", f"p1@{BIG}", f"boss@{BOARD}")
    plan(empty, REF, [one, two, member], first=[one, two])
    plan(empty, URGENT, [boss])
    transport = send(empty, time, REF, URGENT, limits=Rates(domains={TEAM: 1}))
    assert transport.begun == [one.address, boss.address, two.address, member.address]


@pytest.mark.usefixtures("made_ready")
def test_a_clock_that_is_set_ahead_in_the_middle_begins_and_expires_nothing_more(empty: Store, time: Time) -> None:
    class Jumping(Noting):
        def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
            time.now = lambda: NOON + timedelta(days=3)  # type: ignore[method-assign]
            return super()._send(message, may_begin)

    plan(empty, REF, people(empty, *(f"p{number}@{BIG}" for number in range(6))))
    with pytest.raises(ClockError, match="set forward by 72 hours"):
        send(empty, time, REF, limits=Rates(), transport=Jumping(time, OutcomeKind.DEFERRED))
    assert counts(empty) == {"deferred": 2, "planned": 4}
    assert reread(empty).state == "sending"
    with empty.reading() as connection:
        next_at = connection.execute(text("SELECT max(next_at) FROM delivery")).scalar_one()
    assert str(next_at).startswith("2021-10-20 12:"), "nor does anybody wait for a day that is still to come"


@pytest.mark.usefixtures("made_ready")
def test_whoever_only_waits_keeps_no_connection_to_the_database(
    tmp_path: Path, postgres_url: str, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several ticks may overlap and wait for one rate."""
    seen: list[int] = []
    with closing(make_store(tmp_path, postgres_url)) as store, closing(Store(postgres_url, state=tmp_path)) as other:
        plan(store, REF, people(store, *(f"p{number}@{BIG}" for number in range(4))))

        def wait(_self: object, seconds: float) -> None:
            with other.reading() as connection:
                seen.append(connection.execute(OTHER_CONNECTIONS).scalar_one())
            time.passes(seconds)

        monkeypatch.setattr(WaitsInTime, "wait", wait)
        send(store, time, REF, limits=Rates(per_minute=2))
        assert counts(store) == {"accepted": 4}
    assert len(seen) > 50
    assert seen.count(0) > len(seen) / 2, "it looks now and then whether it is still wanted"
