"""Soft bounces: several in a row suppress an address; mail taken in between, or a lift, ends the row."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.consent.applying import lift_suppressions, standing_suppressions
from mlgroup_mail.consent.bounces import SoftBounceRule, soft_run
from mlgroup_mail.store import Store
from mlgroup_mail.store.soft_bounces import MailboxEvent
from mlgroup_mail.testing.sendgrid.truth import Accepted
from tests.acceptance.conftest import Settings
from tests.cli.conftest import Run
from tests.delivery.told import AT_TEN, EVENING, about, accepted, open_ledger, put_in_doubt, tell, without_ours
from tests.factories import NOON

RULE = SoftBounceRule(times=3, within=timedelta(days=30))
SOFT = {"type": "blocked", "reason": "452 4.2.2 mailbox full"}
DAY = 24 * 60


def soft(day: float) -> MailboxEvent:
    return MailboxEvent(at=NOON + timedelta(days=day), soft=True, told=f"day {day}")


def taken(day: float) -> MailboxEvent:
    return MailboxEvent(at=NOON + timedelta(days=day), soft=False, told=f"day {day}")


@pytest.mark.parametrize(
    ("events", "run"),
    [
        ([soft(1), soft(2), soft(3)], [1, 2, 3]),
        ([soft(1), soft(2)], []),
        ([soft(1), soft(2), taken(2.5), soft(3)], []),
        ([soft(1), soft(2), soft(3), taken(4)], [1, 2, 3]),
        ([taken(0), soft(1), taken(2), soft(3), soft(4), soft(5)], [3, 4, 5]),
        ([soft(1), soft(20), soft(32)], []),
        ([soft(1), soft(20), soft(31)], [1, 20, 31]),
        ([soft(1), soft(20), soft(32), soft(33)], [20, 32, 33]),
        ([soft(1), soft(1.01), soft(1.02), soft(1.03)], []),
        ([soft(1), soft(1.02), soft(2), soft(3)], [1, 2, 3]),
        ([soft(1), soft(2), soft(3), taken(3)], []),
    ],
    ids=str,
)
def test_three_within_the_window_and_none_taken_between(events: list[MailboxEvent], run: list[float]) -> None:
    for told in (events, events[::-1]):
        assert [each.at for each in soft_run(told, RULE)] == [NOON + timedelta(days=day) for day in run]


HALF_DAYS = st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=12, unique_by=lambda each: each[0])


@given(story=HALF_DAYS, times=st.integers(1, 4), days=st.integers(1, 60), order=st.randoms())
def test_the_order_in_which_they_are_told_changes_nothing(
    story: list[tuple[int, bool]], times: int, days: int, order: object
) -> None:
    rule = SoftBounceRule(times=times, within=timedelta(days=days))
    events = [soft(at / 2) if is_soft else taken(at / 2) for at, is_soft in story]
    shuffled = list(events)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    found = soft_run(shuffled, rule)
    assert found == soft_run(events, rule)
    assert bool(found) == bool(plainly(sorted(story), times, 2 * days))
    if found:
        assert len(found) == times
        assert found[-1].at - found[0].at <= rule.within
        assert not [each for each in events if not each.soft and found[0].at <= each.at <= found[-1].at]


def plainly(story: list[tuple[int, bool]], times: int, window: int) -> list[int]:
    """The same by looking at each stretch: so many neighbours, all of them soft, near enough."""
    stretches = (story[start : start + times] for start in range(len(story) - times + 1))
    return [
        each[0][0] for each in stretches if all(is_soft for _, is_soft in each) and each[-1][0] - each[0][0] <= window
    ]


@pytest.fixture
def sent(run: Run, letter: Path, use: Settings) -> Iterator[Store]:
    """The small project's ledger after its letter went to six people."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("dispatch", "--live").code == 0
    with closing(open_ledger(letter)) as store:
        put_in_doubt(store)
        yield store


def at_days(person: Accepted, *days: int, word: str = "bounce") -> list[dict[str, object]]:
    return [about(person, word, minute=day * DAY, **(SOFT if word == "bounce" else {})) for day in days]


def days_on(days: int) -> datetime:
    return EVENING + timedelta(days=days)


def test_the_third_soft_bounce_suppresses_the_address_and_names_all_three(sent: Store) -> None:
    one, two, *_ = accepted(sent)
    assert tell(sent, *at_days(one, 1, 8), *at_days(two, 1), now=days_on(8)).opt_outs == 0
    assert tell(sent, *at_days(one, 15), now=days_on(15)).opt_outs == 1
    (rule,) = standing_suppressions(sent)
    assert (rule.kind, rule.topic, rule.address, rule.contact_id) == ("bounce", "*", one.address, None)
    assert rule.evidence == "; ".join(f"letter/issue, delivery 1, 2021-11-{day:02}" for day in (3, 10, 17))
    assert tell(sent, *at_days(one, 15, 16), now=days_on(16)).opt_outs == 0, "one rule is enough"


def test_mail_that_was_taken_in_between_begins_anew(sent: Store) -> None:
    one = accepted(sent)[0]
    story = [*at_days(one, 1, 8), *at_days(one, 9, word="delivered"), *at_days(one, 15)]
    assert tell(sent, *story, now=days_on(16)).opt_outs == 0
    assert tell(sent, *at_days(one, 20, 25), now=days_on(30)).opt_outs == 1


def test_one_that_went_back_by_mail_counts_when_it_is_known_whose_it_is(sent: Store) -> None:
    one = accepted(sent)[0]
    waiting = [without_ours(event) for event in at_days(one, 1, 8, 15)]
    assert tell(sent, *waiting, now=days_on(16)).waiting == 3
    assert tell(sent, *at_days(one, 0, word="processed"), now=days_on(16)).opt_outs == 1


def test_after_a_lift_it_takes_as_many_again(sent: Store) -> None:
    one = accepted(sent)[0]
    tell(sent, *at_days(one, 1, 2, 3), now=days_on(3))
    lift_suppressions(sent, address=one.address, topic="*", by="the editor", reason="works again", now=days_on(4))
    assert tell(sent, *at_days(one, 6, 7), now=days_on(7)).opt_outs == 0
    assert tell(sent, *at_days(one, 8), now=days_on(8)).opt_outs == 1


def test_a_hard_one_needs_no_second(sent: Store) -> None:
    one = accepted(sent)[0]
    hard = about(one, "bounce", type="bounce", status="5.1.1", reason="550 5.1.1 no such user")
    assert tell(sent, hard).opt_outs == 1
