"""Events on a real PostgreSQL: several processes take the same ones in at once."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.delivery.receiving import Received, receive
from mlgroup_mail.store import Store
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.delivery.told import EVENING, about, accepted, end_state, put_in_doubt, read, table, tell, without_ours
from tests.factories import make_store, planned_mailing

HARD = {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 \x00 no such user"}
PEOPLE = 40


@pytest.fixture
def store(tmp_path: Path, postgres_url: str) -> Iterator[Store]:
    """A mailing to forty people, all of them in doubt."""
    with closing(make_store(tmp_path, postgres_url)) as made:
        planned_mailing(made, PEOPLE)
        dispatch_all(made, RecordingTransport())
        put_in_doubt(made)
        yield made


def test_the_same_events_in_several_processes_at_once_are_kept_once(store: Store, tmp_path: Path) -> None:
    people = accepted(store)
    story = [about(person, word, **HARD) for person in people for word in ("processed", "delivered")]
    story += [without_ours(about(person, "bounce", minute=5, **HARD)) for person in people[:10]]
    story += [about(person, "spamreport", minute=6) for person in people[10:20]]

    def one_process(seed: int) -> None:
        events = read(story)
        random.Random(seed).shuffle(events)
        with closing(Store(store.engine.url.render_as_string(hide_password=False), state=tmp_path)) as own:
            for start in range(0, len(events), 30):
                receive(own, events[start : start + 30], now=EVENING)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one_process, range(4)))
    assert {state for (state,) in table(store, "delivery", "state")} == {"accepted"}
    assert len(table(store, "delivery_event", "id")) == len(story)
    assert len(table(store, "suppression", "id")) == 20
    before = end_state(store)
    assert before["unplaced_event"] == []
    told = tell(store, *story)
    assert told == Received(known=len(story))
    assert end_state(store) == before
