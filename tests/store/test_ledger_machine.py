"""No sequence of commands, crashes, answers and events reaches a state that the table does not allow."""

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, select, update

from mlgroup_mail.consent.applying import apply_signal, lift_suppressions
from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.errors import MailingStateError, OwnerLostError, UsageError
from mlgroup_mail.model import (
    ALL_TOPICS,
    DeliveryState,
    DeliveryStep,
    MailingState,
    Outcome,
    OutcomeKind,
    Road,
    Signal,
    SignalKind,
)
from mlgroup_mail.model.delivery import TRANSITIONS
from mlgroup_mail.store import schema, verification, verification_order
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.contact_lookup import row_of
from mlgroup_mail.store.events import doubtful_with_evidence, record_evidence
from mlgroup_mail.store.mailings import delivery_counts
from mlgroup_mail.store.moving import move_person
from mlgroup_mail.store.owners import Owner, begin_owner, end_owner, give_up_dead
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.suppressions import rules_of
from tests.factories import NOON, REF, make_store, planned_mailing, reread
from tests.repeatable import REPEATABLE

PEOPLE = 5
ANSWERS = (
    *({"kind": kind} for kind in OutcomeKind),
    {"kind": OutcomeKind.DEFERRED, "begun": False},
    *({"kind": OutcomeKind.DEFERRED, "half": half} for half in (0, 1)),
)
KINDS = st.lists(st.sampled_from(ANSWERS), min_size=3, max_size=3)


def reachable(state: DeliveryState) -> set[DeliveryState]:
    """Every state that the table leads to from here, in any number of steps."""
    found, waiting = {state}, [state]
    while waiting:
        here = waiting.pop()
        for (before, _), after in TRANSITIONS.items():
            if before is here and after not in found:
                found.add(after)
                waiting.append(after)
    return found


class Ledger(RuleBasedStateMachine):
    """A mailing to five people, and everything that can happen to it."""

    @initialize()
    def plan(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = make_store(self.folder)
        self.now = NOON
        self.mailing = planned_mailing(self.store, PEOPLE, batch_size=3)
        with self.store.reading() as connection:
            self.batches = batches_of(connection, self.mailing)
        self.owners: list[tuple[Owner, Claims]] = []
        self.windows: dict[int, Window] = {}
        self.asleep: list[tuple[Owner, Claims]] = []
        self.seen = dict.fromkeys(range(1, PEOPLE + 1), DeliveryState.PLANNED)

    def teardown(self) -> None:
        for owner, _ in self.owners + self.asleep:
            owner.lock_file.close()
        self.store.close()
        shutil.rmtree(self.folder)

    @precondition(lambda self: len(self.owners) < 3)
    @rule()
    def a_process_starts(self) -> None:
        self.owners.append(self._process())

    @precondition(lambda self: len(self.asleep) < 3)
    @rule(data=st.data(), size=st.integers(1, 3))
    def a_process_falls_asleep_and_a_second_copy_is_ordered(self, data: st.DataObject, size: int) -> None:
        owner, claims = self._process()
        window = claims.next(data.draw(st.sampled_from(self.batches)), size, record=[], now=lambda: self.now)
        if window:
            self.windows[owner.owner_id] = window
        self.asleep.append((owner, claims))
        self._lease_runs_out(owner)
        give_up_dead(self.store, now=self.now)
        with suppress(UsageError, MailingStateError):
            ordering.resolve(self.store, REF, DeliveryStep.RESOLVE_RESEND, reason="x", by="x", now=self.now)
        if data.draw(st.booleans()):
            self.owners.append(self._process())
            self.a_process_records_and_claims(data, 3, [])

    @precondition(lambda self: self.asleep)
    @rule(kinds=KINDS)
    def it_wakes_and_tells_what_it_had_been_answered(self, kinds: list[dict[str, Any]]) -> None:
        owner, claims = self.asleep.pop(0)
        claims.record(self._answers(owner, kinds), now=self.now)
        owner.lock_file.close()

    @precondition(lambda self: self.owners)
    @rule(data=st.data(), size=st.integers(1, 3), kinds=KINDS)
    def a_process_records_and_claims(self, data: st.DataObject, size: int, kinds: list[dict[str, Any]]) -> None:
        owner, claims = data.draw(st.sampled_from(self.owners))
        outcomes = self._answers(owner, kinds)
        try:
            window = claims.next(data.draw(st.sampled_from(self.batches)), size, record=outcomes, now=lambda: self.now)
        except OwnerLostError:
            claims.record(outcomes, now=self.now)
            self.owners.remove((owner, claims))
            owner.lock_file.close()
            return
        if window:
            self.windows[owner.owner_id] = window
            with self.store.reading() as connection:
                assert not self._known_as_accepted(connection) & {each.delivery_id for each in window.deliveries}
                for claimed in window.deliveries:
                    person = row_of(connection, claimed.contact_id)
                    assert person is not None, "nothing goes to somebody who was erased"
                    assert rules_of(connection, person["id"]) == []

    @precondition(lambda self: self.owners)
    @rule(data=st.data(), kinds=KINDS)
    def answers_are_recorded_twice(self, data: st.DataObject, kinds: list[dict[str, Any]]) -> None:
        owner, claims = data.draw(st.sampled_from(self.owners))
        outcomes = self._answers(owner, kinds)
        claims.record(outcomes, now=self.now)
        claims.record(outcomes[::-1], now=self.now)

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def a_process_is_killed(self, data: st.DataObject) -> None:
        owner, claims = data.draw(st.sampled_from(self.owners))
        self.owners.remove((owner, claims))
        self.windows.pop(owner.owner_id, None)
        owner.lock_file.close()

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def a_process_ends(self, data: st.DataObject) -> None:
        owner, claims = data.draw(st.sampled_from(self.owners))
        self.owners.remove((owner, claims))
        self.windows.pop(owner.owner_id, None)
        end_owner(self.store, owner, now=self.now)

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def a_process_oversleeps_its_lease(self, data: st.DataObject) -> None:
        owner, _ = data.draw(st.sampled_from(self.owners))
        self._lease_runs_out(owner)

    @rule()
    def the_dead_are_given_up(self) -> None:
        give_up_dead(self.store, now=self.now)

    @rule(person=st.integers(1, PEOPLE), kind=st.sampled_from([SignalKind.OPT_OUT, SignalKind.REVIEW]))
    def somebody_opts_out(self, person: int, kind: SignalKind) -> None:
        signal = Signal(kind=kind, topic=ALL_TOPICS, road=Road.PAGE, at=self.now, contact_id=person, evidence="a click")
        apply_signal(self.store, signal, now=self.now)

    @rule(person=st.integers(1, PEOPLE))
    def a_person_lifts_it(self, person: int) -> None:
        address = f"person{person}@office{person % 7}.example"
        # Where nothing stands there is nothing to lift.
        with suppress(UsageError):
            lift_suppressions(
                self.store, address=address, topic=ALL_TOPICS, by="the editor", reason="asked", now=self.now
            )

    @rule(person=st.integers(1, PEOPLE), number=st.integers(1, 3))
    def somebody_moves(self, person: int, number: int) -> None:
        # Whoever has it now may be somebody else, or the person was erased.
        with suppress(UsageError), self.store.deciding() as connection:
            move_person(connection, str(person), f"{number}@new.example", by="x", reason="x", now=self.now)

    @rule(old=st.integers(1, PEOPLE), new=st.integers(1, PEOPLE))
    def two_prove_to_be_one(self, old: int, new: int) -> None:
        contact = schema.contact
        with suppress(UsageError), self.store.deciding() as connection:
            connection.execute(update(contact).where(contact.c.erased_at.is_(None)).values(name="A", organisation="O"))
            connection.execute(update(contact).where(contact.c.id == old).values(left_at=self.now))
            move_person(connection, str(old), str(new), by="x", reason="x", now=self.now)

    @rule(person=st.integers(1, PEOPLE))
    def somebody_is_erased(self, person: int) -> None:
        with suppress(UsageError):
            erase_person(self.store, str(person), key="k" * 32, by="x", reason="asked", now=self.now)

    @rule(person=st.integers(1, PEOPLE))
    def evidence_comes_in(self, person: int) -> None:
        with self.store.writing() as connection:
            before = self._states(connection)[person]
            in_doubt = OutcomeKind.UNCERTAIN in self._tries(connection)[person]
            record_evidence(
                connection, person, kind="delivered", source="provider", detail="", at=self.now, now=self.now
            )
            after = self._states(connection)[person]
        ended = in_doubt and before not in {DeliveryState.ATTEMPTING, DeliveryState.EXCLUDED}
        assert after is (DeliveryState.ACCEPTED if ended else before)

    @rule(order=st.sampled_from(["pause", "resume", "cancel"]))
    def somebody_orders(self, order: str) -> None:
        before = reread(self.store).state
        try:
            getattr(ordering, order)(self.store, REF, reason="", by="the editor", now=self.now)
        except MailingStateError:
            assert reread(self.store).state is before

    @rule(step=st.sampled_from([DeliveryStep.RESOLVE_ACCEPTED, DeliveryStep.RESOLVE_RESEND]))
    def somebody_resolves(self, step: DeliveryStep) -> None:
        with self.store.reading() as connection:
            uncertain = delivery_counts(connection, self.mailing.mailing_id)[DeliveryState.UNCERTAIN]
            doubtful = uncertain - len(doubtful_with_evidence(connection, self.mailing.mailing_id))
        try:
            settled = ordering.resolve(self.store, REF, step, address=None, reason="x", by="x", now=self.now)
        except UsageError:
            settled = 0
        except MailingStateError:
            assert reread(self.store).state is MailingState.CANCELLED
            return
        assert settled == doubtful

    @rule(hours=st.sampled_from([0.1, 1, 3, 30]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_mailing_is_settled(self) -> None:
        mailing = settle(self.store, REF, now=self.now)
        with self.store.reading() as connection:
            counts = delivery_counts(connection, mailing.mailing_id)
            for delivery_id in self._known_as_accepted(connection):
                state = self._states(connection)[delivery_id]
                assert state in {DeliveryState.ACCEPTED, DeliveryState.ATTEMPTING, DeliveryState.EXCLUDED}
        if mailing.state is MailingState.FINISHED:
            assert not any(number for state, number in counts.items() if state.open)

    @invariant()
    def what_must_never_be_is_not(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.reading() as connection:
            found = [
                message
                for check in (
                    verification.accepted_twice,
                    verification.lost,
                    verification.attempted_after_opt_out,
                    verification.unexplained,
                    verification.lifted_by_nobody,
                    verification.not_forgotten,
                    verification.out_of_time,
                    verification_order.misplaced,
                    verification_order.attempts_astray,
                    verification_order.numbers_out_of_order,
                    verification_order.rules_astray,
                    verification_order.begun_after_stop,
                    verification_order.decided_by_nobody,
                    verification_order.approved_by_nobody,
                )
                for message in check(connection)
            ]
            states = self._states(connection)
            grouped = select(schema.delivery.c.state).where(schema.delivery.c.claim_group.is_not(None))
            assert {DeliveryState(state).open for state in connection.execute(grouped).scalars()} <= {True}
        assert found == []
        for delivery_id, state in states.items():
            assert state in reachable(self.seen[delivery_id])
        self.seen = states
        assert len(states) == PEOPLE

    def _process(self) -> tuple[Owner, Claims]:
        owner = begin_owner(self.store, now=self.now)
        return owner, Claims(self.store, owner, transport="outbox", restrictions=restrictions)

    def _lease_runs_out(self, owner: Owner) -> None:
        with self.store.writing() as connection:
            connection.execute(update(schema.owner).where(schema.owner.c.id == owner.owner_id).values(lease_until=0.0))

    def _states(self, connection: Connection) -> dict[int, DeliveryState]:
        columns = select(schema.delivery.c.id, schema.delivery.c.state)
        return {row.id: DeliveryState(row.state) for row in connection.execute(columns)}

    def _tries(self, connection: Connection) -> dict[int, list[str | None]]:
        """What the attempts of each delivery gave, told by going through them one by one."""
        found: dict[int, list[str | None]] = {number: [] for number in self._states(connection)}
        for row in connection.execute(select(schema.attempt.c.delivery_id, schema.attempt.c.outcome)):
            found[row.delivery_id].append(row.outcome)
        return found

    def _known_as_accepted(self, connection: Connection) -> set[int]:
        """Whose copy has been taken over: a try of theirs was accepted, or one is in doubt and an event shows it."""
        told = set(connection.execute(select(schema.delivery_event.c.delivery_id)).scalars())
        return {
            number
            for number, outcomes in self._tries(connection).items()
            if OutcomeKind.ACCEPTED in outcomes or (OutcomeKind.UNCERTAIN in outcomes and number in told)
        }

    def _answers(self, owner: Owner, kinds: list[dict[str, Any]]) -> list[Outcome]:
        window = self.windows.pop(owner.owner_id, None)
        claimed = window.deliveries if window else ()
        return [Outcome(attempt_id=each.attempt_id, **kind) for each, kind in zip(claimed, kinds, strict=False)]


Ledger.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=REPEATABLE,
    suppress_health_check=list(HealthCheck),
)
test_no_sequence_breaks_the_ledger = Ledger.TestCase
