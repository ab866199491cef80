"""However approving, planning and dying fall together: what is planned is the text that is approved, to each once."""

import atexit
import functools
import shutil
import tempfile
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import Exclusion, ExclusionReason, MailingState, MailingStep
from mlgroup_mail.model.mailing import TRANSITIONS
from mlgroup_mail.store import Connection, Store, schema
from mlgroup_mail.store.contacts import contacts_after
from mlgroup_mail.store.mailings import MailingRow, approve_mailing, cancel_mailing
from mlgroup_mail.store.plans import (
    PlannedRecipient,
    add_variant,
    begin_planning,
    count_planned,
    end_planning,
    take_turn,
    variants,
    write_chunk,
)
from mlgroup_mail.store.verification import approved_again_too_late
from tests.factories import NOON, REF, add_contacts, make_contact, make_store, reread
from tests.repeatable import REPEATABLE

PEOPLE = 5
CHUNK = 2
TEXTS = st.sampled_from(["a", "b"])


@dataclass
class Planner:
    """A process that plans: the approval it began with, and the mailing's row as it last read it.

    One that is never asked again has died.
    """

    approved: MailingRow
    current: MailingRow


class Planning(RuleBasedStateMachine):
    """A mailing to five people, processes that plan it two at a time, and somebody who keeps approving."""

    @initialize(text=TEXTS)
    def approve_first(self, text: str) -> None:
        self.folder = Path(shutil.copytree(listed(), Path(tempfile.mkdtemp()) / "state"))
        self.store = Store(f"sqlite:///{self.folder / 'ledger.db'}", state=self.folder)
        self.planners: list[Planner] = []
        self._approve(text)
        self.seen = MailingState.APPROVED

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder.parent)

    @rule(text=TEXTS)
    def somebody_approves(self, text: str) -> None:
        before = reread(self.store)
        with self.store.reading() as connection:
            planned = connection.execute(select(schema.delivery).where(schema.delivery.c.state != "excluded")).first()
        may = before.state is MailingState.APPROVED or (before.state is MailingState.PLANNING and planned is None)
        try:
            self._approve(text)
        except MailingStateError:
            assert not may
            assert reread(self.store) == before
        else:
            assert may

    @precondition(lambda self: len(self.planners) < 3)
    @rule()
    def a_process_begins_to_plan(self) -> None:
        mailing = reread(self.store)
        if mailing.state in {MailingState.APPROVED, MailingState.PLANNING}:
            with self.store.writing() as connection:
                begin_planning(connection, mailing, now=NOON)
            self.planners.append(Planner(approved=mailing, current=reread(self.store)))

    @precondition(lambda self: self.planners)
    @rule(data=st.data())
    def it_reads(self, data: st.DataObject) -> None:
        planner = data.draw(st.sampled_from(self.planners))
        planner.current = reread(self.store)
        if planner.current.digest != planner.approved.digest or planner.current.state is not MailingState.PLANNING:
            self.planners.remove(planner)

    @precondition(lambda self: self.planners)
    @rule(data=st.data(), left_out=st.sampled_from([set(), {1, 2}, {3}, {*range(1, PEOPLE + 1)}]))
    def it_writes(self, data: st.DataObject, left_out: set[int]) -> None:
        current = data.draw(st.sampled_from(self.planners)).current
        with self.store.claiming() as connection:
            if not take_turn(connection, current):
                return
            people = contacts_after(connection, current.plan_cursor, CHUNK)
            if not people:
                end_planning(connection, current, planned=count_planned(connection, current), now=NOON)
                return
            recipients = [person for person in people if person.contact_id not in left_out]
            variant = variant_of(connection, current) if recipients else 0
            write_chunk(
                connection,
                current,
                recipients=[PlannedRecipient(contact=each, variant_id=variant, fields={}) for each in recipients],
                exclusions=[
                    Exclusion(contact=each, reason=ExclusionReason.OPTED_OUT)
                    for each in people
                    if each not in recipients
                ],
                cursor=people[-1].contact_id,
                batch_size=3,
                now=NOON,
            )

    @rule(really=st.sampled_from([False] * 9 + [True]))
    def somebody_cancels(self, really: bool) -> None:
        # Rarely: nothing comes after it.
        if not really:
            return
        with suppress(MailingStateError), self.store.writing() as connection:
            cancel_mailing(connection, reread(self.store).mailing_id, reason="", by="the editor", now=NOON)

    @invariant()
    def what_is_planned_is_what_is_approved(self) -> None:
        if not hasattr(self, "store"):
            return
        mailing = reread(self.store)
        with self.store.reading() as connection:
            texts = connection.execute(
                select(schema.variant.c.compiled).join(
                    schema.delivery, schema.delivery.c.variant_id == schema.variant.c.id
                )
            ).scalars()
            assert {*texts} <= {mailing.digest}
            people = Counter(connection.execute(select(schema.delivery.c.contact_id)).scalars())
            looked_at = {contact for contact in range(1, PEOPLE + 1) if contact <= mailing.plan_cursor}
            assert list(approved_again_too_late(connection)) == []
        assert people == Counter(looked_at)
        if mailing.audience is not None:
            assert sum(people.values()) == mailing.audience == PEOPLE
        assert mailing.state is self.seen or mailing.state in reachable(self.seen)
        self.seen = mailing.state

    def _approve(self, text: str) -> None:
        with self.store.writing() as connection:
            approve_mailing(
                connection,
                REF,
                topic="newsletter",
                send_at=NOON,
                stop_at=NOON + timedelta(hours=48),
                digest=text * 64,
                source="{}",
                by="the editor",
                now=NOON,
            )


@functools.cache
def listed() -> Path:
    """A ledger with five people: made once, copied for each example."""
    folder = Path(tempfile.mkdtemp())
    with closing(make_store(folder)) as store:
        add_contacts(store, [make_contact(number) for number in range(1, PEOPLE + 1)])
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def variant_of(connection: Connection, mailing: MailingRow) -> int:
    """The only variant; it says which text it was compiled from."""
    known = variants(connection, mailing.mailing_id)
    return known.get("[]") or add_variant(connection, mailing.mailing_id, key="[]", compiled=mailing.digest)


def reachable(state: MailingState) -> set[MailingState]:
    """Every state that the table leads to from here by approving, planning and cancelling."""
    steps = {MailingStep.APPROVE, MailingStep.BEGIN_PLANNING, MailingStep.END_PLANNING, MailingStep.FINISH}
    found, waiting = {state}, [state]
    while waiting:
        here = waiting.pop()
        for (before, step), after in TRANSITIONS.items():
            if before is here and step in steps | {MailingStep.CANCEL} and after not in found:
                found.add(after)
                waiting.append(after)
    return found


Planning.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=20,
    deadline=None,
    derandomize=REPEATABLE,
    suppress_health_check=list(HealthCheck),
)
test_no_order_of_events_plans_another_text = Planning.TestCase
