"""Too many failures pause a mailing, whoever's process met them; a crash's doubt does not."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.model import MailingState, Outcome, OutcomeKind, Scope
from mlgroup_mail.store import Store
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.failures import Answer, PauseRule, too_many_failures
from mlgroup_mail.store.owners import begin_owner, give_up_dead
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.recording import due_again
from tests.delivery.ledgers import counts, deliveries, journal
from tests.factories import NOON, REF, make_store, planned_mailing, reread

RULE = PauseRule(after=20, percent=30)
YES = Answer(kind=OutcomeKind.ACCEPTED, scope=Scope.SERVER, domain="a.example")
NO = Answer(kind=OutcomeKind.REFUSED, scope=Scope.RECIPIENT, domain="a.example")
BROKEN = Answer(kind=OutcomeKind.UNCERTAIN, scope=Scope.SERVER, domain="a.example")
FULL = Answer(kind=OutcomeKind.DEFERRED, scope=Scope.RECIPIENT, domain="a.example")
GREY = Answer(kind=OutcomeKind.DEFERRED, scope=Scope.DOMAIN, domain="a.example")


def grey(number: int) -> Answer:
    return Answer(kind=OutcomeKind.DEFERRED, scope=Scope.DOMAIN, domain=f"{number}.example")


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        ([NO] * 7 + [YES] * 13, True),
        ([NO] * 6 + [YES] * 14, False),
        ([BROKEN] * 7 + [YES] * 13, True),
        ([NO] * 19, False),
        ([NO] * 20, True),
        ([NO] * 7 + [FULL] * 20 + [YES] * 12, False),
        ([FULL] * 40 + [YES] * 10, False),
        ([GREY] * 50, False),
        ([grey(number) for number in range(20)], True),
        ([grey(number) for number in range(19)] + [YES] + [grey(30)], False),
        ([], False),
    ],
)
def test_what_is_too_much(answers: list[Answer], pauses: bool) -> None:
    """More than 30 % of at least twenty answers, or twenty domains in a row that take nothing."""
    assert bool(too_many_failures(answers, RULE)) is pauses


@given(st.lists(st.sampled_from([YES, NO, BROKEN, FULL, GREY]), max_size=60), st.integers(1, 40), st.integers(1, 100))
def test_less_trouble_never_pauses_where_more_did_not(answers: list[Answer], after: int, percent: int) -> None:
    rule = PauseRule(after=after, percent=percent)
    better = [YES if answer.failed else answer for answer in answers]
    if not too_many_failures(answers, rule):
        assert not too_many_failures(better, rule)
    assert not too_many_failures([YES] * 50, rule)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        planned_mailing(made, 60)
        yield made


def answered(store: Store, number: int, kind: OutcomeKind, *, scope: Scope = Scope.RECIPIENT) -> int:
    """One more process claims so many and gets this answer for each; returns how many it could claim."""
    owner = begin_owner(store, now=NOON)
    with owner.lock_file, store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    claims = Claims(store, owner, transport="smtp", restrictions=restrictions, pause=RULE)
    window = claims.next(batch, number, record=[], now=lambda: NOON)
    if not isinstance(window, Window):
        return 0
    outcomes = [
        Outcome(attempt_id=each.attempt_id, kind=kind, detail="554 5.7.1 spam", scope=scope)
        for each in window.deliveries
    ]
    claims.record(outcomes, now=NOON)
    return len(window.deliveries)


def test_refusals_of_several_processes_together_pause_it_and_say_why_and_how_to_go_on(store: Store) -> None:
    answered(store, 14, OutcomeKind.ACCEPTED)
    answered(store, 3, OutcomeKind.REFUSED)
    assert reread(store).state is MailingState.SENDING
    answered(store, 4, OutcomeKind.REFUSED)
    paused = reread(store)
    assert paused.state is MailingState.PAUSED
    assert paused.state_reason == (
        "paused by itself: 7 of the last 21 answers were refusals or failures. The latest: 554 5.7.1 spam"
    )
    assert journal(store)[-1] == ("pause", paused.state_reason, "mlgroup-mail")
    assert answered(store, 4, OutcomeKind.ACCEPTED) == 0


def test_after_resume_only_new_answers_count(store: Store) -> None:
    answered(store, 20, OutcomeKind.REFUSED)
    ordering.resume(store, REF, reason="told the provider", by="the editor", now=NOON)
    answered(store, 19, OutcomeKind.REFUSED)
    assert reread(store).state is MailingState.SENDING
    answered(store, 1, OutcomeKind.REFUSED)
    assert reread(store).state is MailingState.PAUSED


def test_each_try_counts_also_of_those_who_were_tried_again_since(store: Store) -> None:
    """Ten people whom the server puts off twice are twenty answers."""
    for _ in range(2):
        assert reread(store).state is not MailingState.PAUSED
        assert answered(store, 10, OutcomeKind.DEFERRED, scope=Scope.SERVER) == 10
        with store.writing() as connection:
            due_again(connection, reread(store).mailing_id, now=NOON)
    assert counts(store) == {"deferred": 10, "planned": 50}
    assert reread(store).state is MailingState.PAUSED


def test_answers_from_before_what_is_under_way_elsewhere_count(store: Store) -> None:
    """Another process's open window is no answer, and hides none."""
    answered(store, 19, OutcomeKind.REFUSED)
    with store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    other = begin_owner(store, now=NOON)
    with other.lock_file:
        elsewhere = Claims(store, other, transport="smtp", restrictions=restrictions, pause=PauseRule(after=500))
        assert isinstance(elsewhere.next(batch, 30, record=[], now=lambda: NOON), Window)
        answered(store, 1, OutcomeKind.REFUSED)
    assert reread(store).state is MailingState.PAUSED


def test_the_doubt_that_a_crash_leaves_is_no_failure(store: Store) -> None:
    for _ in range(2):
        owner = begin_owner(store, now=NOON)
        claims = Claims(store, owner, transport="smtp", restrictions=restrictions, pause=RULE)
        with store.reading() as connection:
            (batch,) = batches_of(connection, reread(store))
        claims.next(batch, 20, record=[], now=lambda: NOON)
        owner.lock_file.close()
        give_up_dead(store, now=NOON)
    answered(store, 1, OutcomeKind.REFUSED)
    assert counts(store) == {"uncertain": 40, "refused": 1, "planned": 19}
    assert reread(store).state is MailingState.SENDING


def test_whom_the_server_put_off_as_a_whole_goes_at_once_after_resume(store: Store) -> None:
    answered(store, 20, OutcomeKind.DEFERRED, scope=Scope.SERVER)
    assert reread(store).state is MailingState.PAUSED
    soon = NOON + timedelta(seconds=30)
    ordering.resume(store, REF, reason="a new password", by="the editor", now=soon)
    assert {row["next_at"] for row in deliveries(store) if row["state"] == "deferred"} == {soon}
