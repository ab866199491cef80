"""A person ordered a second copy (`resolve --resend`), and then it shows that the first one had arrived."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.errors import UsageError
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
from mlgroup_mail.store import Store, schema, verification, verification_order
from mlgroup_mail.store.claims import Claimed, Claims, Window
from mlgroup_mail.store.events import record_evidence
from mlgroup_mail.store.owners import Owner, begin_owner, give_up_dead
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.second_copies import perhaps_twice_in
from tests.factories import NOON, REF, make_store, planned_mailing, reread

ACCEPTED, REFUSED, DEFERRED, UNCERTAIN = OutcomeKind
CHECKS = (
    *(verification.accepted_twice, verification.lost, verification.attempted_after_opt_out, verification.unexplained),
    *(verification.not_forgotten, verification_order.attempts_astray, verification_order.numbers_out_of_order),
)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A ledger with a mailing to one person, due now."""
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        planned_mailing(made, 1)
        yield made


class Story:
    """What becomes of one delivery, step by step."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.mailing_id = reread(store).mailing_id
        self.owners: list[Owner] = []
        with store.reading() as connection:
            (self.batch,) = batches_of(connection, reread(store))

    def process(self) -> Claims:
        """Another process that sends."""
        self.owner = begin_owner(self.store, now=NOON)
        self.owners.append(self.owner)
        return Claims(self.store, self.owner, transport="smtp", restrictions=restrictions)

    def claim(self, claims: Claims) -> Claimed | None:
        """The person's next try, where they may be claimed."""
        window = claims.next(self.batch, 1, record=[], now=lambda: NOON)
        return window.deliveries[0] if isinstance(window, Window) and window.deliveries else None

    def answer(self, claims: Claims, claimed: Claimed | None, kind: OutcomeKind, **values: object) -> None:
        """What that try gave."""
        assert claimed
        claims.record([Outcome(attempt_id=claimed.attempt_id, kind=kind, **values)], now=NOON)  # type: ignore[arg-type]

    def give_up(self) -> None:
        """The latest process slept for too long."""
        with self.store.writing() as connection:
            row = schema.owner.c.id == self.owner.owner_id
            connection.execute(update(schema.owner).where(row).values(lease_until=0.0))
        self.owner.lock_file.close()
        assert give_up_dead(self.store, now=NOON) == 1

    def doubt(self) -> tuple[Claims, Claimed]:
        """A first try whose process was given up: its answer may still come."""
        claims = self.process()
        claimed = self.claim(claims)
        assert claimed
        self.give_up()
        assert self.state is DeliveryState.UNCERTAIN
        return claims, claimed

    def resend(self) -> None:
        """A person orders a second copy."""
        step = DeliveryStep.RESOLVE_RESEND
        assert ordering.resolve(self.store, REF, step, reason="nothing came", by="the editor", now=NOON) == 1

    def event(self, delivery_id: int) -> bool:
        """The provider says that a copy was delivered."""
        with self.store.writing() as connection:
            return record_evidence(
                connection, delivery_id, kind="delivered", source="provider", detail="", at=NOON, now=NOON
            )

    @property
    def state(self) -> DeliveryState:
        with self.store.reading() as connection:
            return DeliveryState(connection.execute(select(schema.delivery.c.state)).scalar_one())

    @property
    def outcomes(self) -> list[str | None]:
        with self.store.reading() as connection:
            statement = select(schema.attempt.c.outcome).order_by(schema.attempt.c.id)
            return list(connection.execute(statement).scalars())

    @property
    def perhaps_twice(self) -> int:
        with self.store.reading() as connection:
            return len(perhaps_twice_in(connection, self.mailing_id))

    def violations(self) -> list[str]:
        with self.store.reading() as connection:
            return [found for check in CHECKS for found in check(connection)]


@pytest.fixture
def story(store: Store) -> Iterator[Story]:
    told = Story(store)
    yield told
    for owner in told.owners:
        owner.lock_file.close()
    assert told.violations() == []


Shown = Callable[[Story, Claims, Claimed], object]
LATE: Shown = lambda story, claims, first: story.answer(claims, first, ACCEPTED)  # noqa: E731
EVENT: Shown = lambda story, claims, first: story.event(first.delivery_id)  # noqa: E731
by_either = pytest.mark.parametrize("shown", [LATE, EVENT], ids=["late answer", "event"])


@by_either
def test_a_second_copy_that_has_not_begun_goes_no_more(story: Story, shown: Shown) -> None:
    claims, first = story.doubt()
    story.resend()
    shown(story, claims, first)
    assert story.state is DeliveryState.ACCEPTED
    assert story.claim(story.process()) is None
    assert settle(story.store, REF, now=NOON).state is MailingState.FINISHED
    assert story.perhaps_twice == 0


@by_either
@pytest.mark.parametrize("answer", [{"begun": False}, {"half": 0}, {}], ids=["handed back", "half", "deferred"])
def test_a_second_copy_that_was_not_taken_over_is_not_tried_again(
    story: Story, shown: Shown, answer: dict[str, object]
) -> None:
    claims, first = story.doubt()
    story.resend()
    again = story.process()
    story.answer(again, story.claim(again), DEFERRED, **answer)
    shown(story, claims, first)
    assert story.state is DeliveryState.ACCEPTED
    assert story.claim(again) is None
    assert story.perhaps_twice == 0


@by_either
@pytest.mark.parametrize(
    "answer",
    [
        {"kind": DEFERRED, "begun": False},
        {"kind": DEFERRED, "half": 1},
        {"kind": DEFERRED},
        {"kind": REFUSED},
        {"kind": UNCERTAIN},
    ],
    ids=["handed back", "half", "deferred", "refused", "uncertain"],
)
def test_what_shows_while_the_second_copy_is_on_its_way_counts_when_its_answer_is_there(
    story: Story, shown: Shown, answer: dict[str, object]
) -> None:
    claims, first = story.doubt()
    story.resend()
    again = story.process()
    second = story.claim(again)
    shown(story, claims, first)
    assert story.state is DeliveryState.ATTEMPTING
    story.answer(again, second, **answer)  # type: ignore[arg-type]
    assert story.state is DeliveryState.ACCEPTED
    assert story.claim(again) is None
    assert story.perhaps_twice == (answer["kind"] is UNCERTAIN)


@by_either
def test_where_the_process_of_the_second_copy_dies_the_person_still_has_the_first(story: Story, shown: Shown) -> None:
    claims, first = story.doubt()
    story.resend()
    assert story.claim(story.process())
    shown(story, claims, first)
    story.give_up()
    settle(story.store, REF, now=NOON)
    assert story.state is DeliveryState.ACCEPTED
    assert story.perhaps_twice == 1


@by_either
def test_where_both_copies_went_it_is_told_and_passes_as_the_order_that_it_was(story: Story, shown: Shown) -> None:
    claims, first = story.doubt()
    story.resend()
    again = story.process()
    story.answer(again, story.claim(again), ACCEPTED)
    shown(story, claims, first)
    assert story.state is DeliveryState.ACCEPTED
    assert story.perhaps_twice == 1


def test_the_late_answer_is_written_although_the_second_copy_went(story: Story) -> None:
    claims, first = story.doubt()
    story.resend()
    again = story.process()
    story.answer(again, story.claim(again), ACCEPTED)
    story.answer(claims, first, REFUSED)
    assert story.outcomes == [REFUSED, ACCEPTED]
    assert story.perhaps_twice == 0, "the first one never arrived"


@pytest.mark.parametrize("kind", [REFUSED, DEFERRED])
def test_a_late_answer_that_nothing_arrived_lets_the_ordered_copy_go(story: Story, kind: OutcomeKind) -> None:
    claims, first = story.doubt()
    story.resend()
    story.answer(claims, first, kind)
    assert story.state is DeliveryState.PLANNED
    assert not story.event(first.delivery_id), "it is not in doubt any more"
    assert story.state is DeliveryState.PLANNED
    again = story.process()
    story.answer(again, story.claim(again), ACCEPTED)
    assert story.outcomes == [kind, ACCEPTED]


@pytest.mark.parametrize("kind", [REFUSED, DEFERRED])
def test_what_a_person_decided_stays_and_the_late_answer_is_kept(story: Story, kind: OutcomeKind) -> None:
    claims, first = story.doubt()
    ordering.resolve(story.store, REF, DeliveryStep.RESOLVE_ACCEPTED, reason="they said so", by="x", now=NOON)
    story.answer(claims, first, kind)
    assert story.state is DeliveryState.ACCEPTED
    assert story.outcomes == [kind]


def test_an_event_about_what_was_never_tried_is_kept_and_changes_nothing(story: Story) -> None:
    assert not story.event(1)
    assert story.state is DeliveryState.PLANNED
    assert story.claim(story.process())


@pytest.mark.parametrize("values", [{}, {"begun": False}])
def test_an_event_about_what_was_surely_not_accepted_changes_nothing(story: Story, values: dict[str, object]) -> None:
    claims = story.process()
    story.answer(claims, story.claim(claims), DEFERRED, **values)
    assert not story.event(1)
    assert story.state is DeliveryState.DEFERRED


@by_either
def test_where_the_mailing_was_cancelled_the_copy_that_had_arrived_counts(story: Story, shown: Shown) -> None:
    claims, first = story.doubt()
    story.resend()
    ordering.cancel(story.store, REF, reason="", by="the editor", now=NOON)
    assert story.state is DeliveryState.CANCELLED
    shown(story, claims, first)
    assert story.state is DeliveryState.ACCEPTED


@by_either
@pytest.mark.parametrize("erased", [False, True], ids=["opted out", "erased"])
def test_who_is_left_out_meanwhile_stays_so_and_what_comes_late_is_kept(
    story: Story, shown: Shown, erased: bool
) -> None:
    claims, first = story.doubt()
    story.resend()
    _leave(story.store, erased=erased)
    assert story.claim(story.process()) is None
    assert story.state is DeliveryState.EXCLUDED
    shown(story, claims, first)
    assert story.state is DeliveryState.EXCLUDED
    assert story.outcomes == [ACCEPTED if shown is LATE else UNCERTAIN]


@pytest.mark.parametrize("kind", OutcomeKind)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("erased", [False, True], ids=["opted out", "erased"])
def test_the_answer_about_somebody_who_left_meanwhile_is_written(
    story: Story, kind: OutcomeKind, late: bool, erased: bool
) -> None:
    claims = story.process()
    claimed = story.claim(claims)
    _leave(story.store, erased=erased)
    if late:
        story.give_up()
    story.answer(claims, claimed, kind)
    assert story.outcomes == [kind]
    assert story.state == str(kind)
    assert story.claim(story.process()) is None, "nothing more goes to them"


@pytest.mark.parametrize("kind", OutcomeKind)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_the_answer_that_comes_after_the_mailing_was_cancelled_is_written(
    story: Story, kind: OutcomeKind, late: bool
) -> None:
    claims = story.process()
    claimed = story.claim(claims)
    ordering.cancel(story.store, REF, reason="", by="the editor", now=NOON)
    if late:
        story.give_up()
    story.answer(claims, claimed, kind)
    assert story.outcomes == [kind]
    assert settle(story.store, REF, now=NOON).state is MailingState.CANCELLED
    assert story.state == ("cancelled" if kind is DEFERRED else str(kind))


def test_nobody_is_asked_about_what_an_event_has_shown(story: Story) -> None:
    """It came while the answer was awaited; then the process died, and a person wants a second copy."""
    claims = story.process()
    claimed = story.claim(claims)
    assert claimed
    assert not story.event(claimed.delivery_id)
    story.give_up()
    with pytest.raises(UsageError, match="is uncertain"):
        story.resend()
    assert story.state is DeliveryState.ACCEPTED
    with story.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(schema.journal)).scalar_one() == 1, "the approval"


def _leave(store: Store, *, erased: bool) -> None:
    if erased:
        erase_person(store, "1", key="k" * 32, by="x", reason="asked", now=NOON)
        return
    signal = Signal(
        kind=SignalKind.OPT_OUT, topic=ALL_TOPICS, road=Road.PAGE, at=NOON, contact_id=1, evidence="a click"
    )
    apply_signal(store, signal, now=NOON)
