"""Retention and `verify`: what the clock forgets is nothing that a promise, or its proof, rests on."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from mlgroup_mail.delivery import tidying
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.model import DeliveryState, OutcomeKind
from mlgroup_mail.settings.retention import Retention
from mlgroup_mail.store import Store, schema
from tests.factories import NOON
from tests.store.test_second_copies import Story, store

__all__ = ["store"]

_, REFUSED, DEFERRED, UNCERTAIN = OutcomeKind


@pytest.fixture
def story(store: Store) -> Iterator[Story]:
    told = Story(store)
    yield told
    for owner in told.owners:
        owner.lock_file.close()


def forget_all_that_is_old(story: Story, folder: Path) -> None:
    later = NOON + timedelta(days=10 * 365)
    tidying.tidy(story.store, folder, Retention().limits(later), by="x", now=later, stop=Stop())


def events(story: Story) -> int:
    with story.store.reading() as connection:
        return len(connection.execute(schema.delivery_event.select()).all())


def copy_in_doubt_and_another_put_off(story: Story) -> None:
    first = story.process()
    story.answer(first, story.claim(first), UNCERTAIN)
    story.resend()
    again = story.process()
    story.answer(again, story.claim(again), DEFERRED)
    story.event(1)


def late_refusal_after_an_event(story: Story) -> None:
    claims, first = story.doubt()
    story.event(1)
    story.answer(claims, first, REFUSED)


@pytest.mark.parametrize("tell", [copy_in_doubt_and_another_put_off, late_refusal_after_an_event])
def test_an_event_that_alone_shows_an_acceptance_outlives_its_time(
    story: Story, tmp_path: Path, tell: Callable[[Story], None]
) -> None:
    tell(story)
    assert story.state is DeliveryState.ACCEPTED
    assert story.violations() == []
    forget_all_that_is_old(story, tmp_path)
    assert events(story) == 1
    assert story.violations() == []
    with story.store.writing() as connection:
        connection.execute(delete(schema.delivery_event))
    assert story.violations() != [], "verify needs it"


def test_an_event_about_what_is_in_doubt_still_outlives_it_because_a_person_may_order_a_copy(
    story: Story, tmp_path: Path
) -> None:
    _, first = story.doubt()
    with story.store.writing() as connection:
        connection.execute(
            schema.delivery_event.insert().values(
                delivery_id=first.delivery_id, kind="deferred", source="provider", fingerprint="f", detail="", at=NOON
            )
        )
    forget_all_that_is_old(story, tmp_path)
    assert events(story) == 1


def test_an_event_that_tells_no_more_than_the_answer_did_goes(story: Story, tmp_path: Path) -> None:
    claims = story.process()
    story.answer(claims, story.claim(claims), OutcomeKind.ACCEPTED)
    story.event(1)
    assert events(story) == 1
    forget_all_that_is_old(story, tmp_path)
    assert events(story) == 0
    assert story.violations() == []
