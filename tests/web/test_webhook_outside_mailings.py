"""What SendGrid tells of mail outside mailings (a question, a welcome, an undo mail, a test) stops mail all the same.

Everything goes over the wire: the fake service takes the mails, and signs and posts its events to `mlgroup-mail web`.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from mlgroup_mail.consent.bursts import flag_bursts
from mlgroup_mail.consent.clicking import Click, Way, apply_clicks
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.store import Store, schema
from mlgroup_mail.testing.sendgrid import FakeSendGrid, fake_sendgrid
from mlgroup_mail.testing.sendgrid.batches import post
from mlgroup_mail.testing.sendgrid.events import Event, Fate, tell
from mlgroup_mail.testing.sendgrid.truth import Accepted
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.delivery.told import AT_TEN, open_ledger, table
from tests.web.joiners import NEWCOMER, open_the_door
from tests.web.readers import serving

PATH = "/webhooks/sendgrid"


@pytest.fixture
def fake(use: Settings) -> Iterator[FakeSendGrid]:
    with fake_sendgrid(keep_content=True) as running:
        yield running


@pytest.fixture
def over_sendgrid(fake: FakeSendGrid) -> dict[str, str]:
    return {
        "MLGROUP_TRANSPORT": "sendgrid",
        "MLGROUP_SENDGRID_URL": fake.url,
        "MLGROUP_SENDGRID_API_KEY": fake.key,
        "MLGROUP_SENDGRID_WEBHOOK_KEYS": fake.signer.public_key,
    }


@pytest.fixture
def door(readers: Path) -> Path:
    return open_the_door(readers)


@pytest.fixture
def store(readers: Path) -> Iterator[Store]:
    with closing(open_ledger(readers)) as opened:
        yield opened


def rules(store: Store) -> list[tuple[object, ...]]:
    return table(store, "suppression", "kind", "topic", "address_key", "contact_id", "road")


def told(fake: FakeSendGrid, url: str, about: Accepted, fate: Fate, change: Callable[[Event], Event]) -> None:
    """The whole story of one mail, posted twice: the second time nothing is new."""
    events = [change(event) for event in tell([about], fates={about.address: fate})]
    for _ in range(2):
        assert post(events, url + PATH, fake.signer) == [200]


def as_it_is(event: Event) -> Event:
    return event


def by_message_id(event: Event) -> Event:
    return {name: value for name, value in event.items() if name != "delivery"}


def taken(fake: FakeSendGrid, number: int) -> Accepted:
    """The mail of that number, from 1, once the service has taken it."""
    until = time.monotonic() + 60
    while len(fake.accepted) < number:
        assert time.monotonic() < until, "no mail came"
        time.sleep(0.05)
    return fake.accepted[number - 1]


@pytest.mark.parametrize("change", [as_it_is, by_message_id])
def test_who_calls_the_question_spam_is_asked_no_more(
    door: Path, store: Store, fake: FakeSendGrid, over_sendgrid: dict[str, str], change: Callable[[Event], Event]
) -> None:
    """Somebody else has filled in the form: this address is nobody's here."""
    with serving(door, **over_sendgrid) as (url, _):
        httpx.post(f"{url}/join", data={"address": NEWCOMER})
        question = taken(fake, 1)
        assert question.custom_args["delivery"].startswith("confirmation.")
        told(fake, url, question, Fate.COMPLAINED, change)
    assert rules(store) == [("complaint", ALL_TOPICS, NEWCOMER, None, "provider")]
    assert [evidence for (evidence,) in table(store, "suppression", "evidence")] == [
        "confirmation mail 1: complained at SendGrid"
    ]


def test_the_hard_bounce_of_a_question_stops_the_address(
    door: Path, store: Store, fake: FakeSendGrid, over_sendgrid: dict[str, str]
) -> None:
    with serving(door, **over_sendgrid) as (url, _):
        httpx.post(f"{url}/join", data={"address": NEWCOMER})
        told(fake, url, taken(fake, 1), Fate.BOUNCED, as_it_is)
    assert rules(store) == [("bounce", ALL_TOPICS, NEWCOMER, None, "provider")]


@pytest.mark.parametrize(
    ("fate", "kind"),
    [
        (Fate.COMPLAINED, "complaint"),
        (Fate.UNSUBSCRIBED, "opt_out"),
        (Fate.GROUP_UNSUBSCRIBED, "opt_out"),
    ],
)
def test_who_has_joined_and_calls_the_welcome_spam_gets_nothing_more(
    door: Path, store: Store, fake: FakeSendGrid, over_sendgrid: dict[str, str], fate: Fate, kind: str, run: Run
) -> None:
    with serving(door, **over_sendgrid) as (url, _):
        httpx.post(f"{url}/join", data={"address": NEWCOMER})
        link = re.search(r"https://mail\.example\.org/group(/join/[a-z2-7]+)", taken(fake, 1).parts["text/plain"])
        assert link
        httpx.post(url + link[1], data={"join": "yes"})
        welcome = taken(fake, 2)
        assert welcome.custom_args["delivery"].startswith("welcome.")
        told(fake, url, welcome, fate, as_it_is)
    (newcomer,) = [key for key, address in table(store, "contact", "id", "address") if address == NEWCOMER]
    assert rules(store) == [(kind, ALL_TOPICS, NEWCOMER, newcomer, "provider")]
    assert run("verify").code == 0


def test_who_calls_the_undo_mail_spam_gets_nothing_more(
    readers: Path,
    store: Store,
    fake: FakeSendGrid,
    over_sendgrid: dict[str, str],
    run: Run,
    use: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gateway has clicked for three readers; one of them takes our question about that for spam."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("dispatch", "--live").code == 0
    soon = AT_TEN + timedelta(minutes=3)
    click = Click(contact_id=1, mailing_id=1, topic="newsletter", at=soon, way=Way.BUTTON)
    apply_clicks(store, [replace(click, contact_id=each) for each in (1, 2, 3)], now=lambda: soon)
    assert flag_bursts(store, now=soon) == 3
    with store.writing() as connection:
        connection.execute(update(schema.burst_opt_out).values(flagged_at=datetime.now(UTC)))
    monkeypatch.delenv("MLGROUP_NOW")
    use(over_sendgrid | {"MLGROUP_PUBLIC_URL": "https://mail.example.org/group"})
    assert run("opt-out", "bursts", "--json").json["asked"] == 3
    undo = taken(fake, 2)
    assert undo.custom_args["delivery"].startswith("undo.")
    with serving(readers, **over_sendgrid) as (url, _):
        told(fake, url, undo, Fate.COMPLAINED, as_it_is)
    assert rules(store)[3:] == [("complaint", ALL_TOPICS, undo.address, 2, "provider")]
    monkeypatch.delenv("MLGROUP_TRANSPORT")
    assert run("verify").code == 0


def test_who_calls_a_test_spam_gets_nothing_more(
    readers: Path, store: Store, fake: FakeSendGrid, over_sendgrid: dict[str, str], run: Run, use: Settings
) -> None:
    use(over_sendgrid)
    assert run("test-send", LETTER, "--to", "editor@example.org").code == 0
    with serving(readers, **over_sendgrid) as (url, _):
        told(fake, url, taken(fake, 1), Fate.COMPLAINED, as_it_is)
    assert rules(store) == [("complaint", ALL_TOPICS, "editor@example.org", None, "provider")]
