"""Opt-outs that a mail gateway may have clicked: they hold, are flagged, and each reader is asked once, by mail."""

import email
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select, update

from mlgroup_mail.consent.applying import apply_signal, lift_suppressions, standing_suppressions
from mlgroup_mail.consent.bursts import flag_bursts
from mlgroup_mail.consent.clicking import Click, Way, apply_clicks
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.store import Store, schema
from mlgroup_mail.testing.sendgrid import Fault, Trouble, fake_sendgrid
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.delivery.told import AT_TEN, open_ledger, table

SOON = AT_TEN + timedelta(minutes=3)
TICK = AT_TEN + timedelta(minutes=8)


@pytest.fixture
def sent(run: Run, letter: Path, use: Settings) -> Iterator[Store]:
    """The small project's ledger after its letter went to six people of one domain."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("dispatch", "--live").code == 0
    use({"MLGROUP_NOW": TICK.isoformat(), "MLGROUP_PUBLIC_URL": "https://mail.example.org"})
    with closing(open_ledger(letter)) as store:
        yield store


def click(store: Store, *people: int, at: datetime = SOON, topic: str = "newsletter") -> None:
    clicks = [Click(contact_id=each, mailing_id=1, topic=topic, at=at, way=Way.BUTTON) for each in people]
    apply_clicks(store, clicks, now=lambda: at)


def bursts(run: Run) -> tuple[int, int]:
    found = run("opt-out", "bursts", "--json")
    assert found.code == 0, found.err
    return found.json["flagged"], found.json["asked"]


def asked(project: Path) -> list[str]:
    """Who got an undo mail, as the outbox has them."""
    return sorted(mail["To"] for mail in undo_mails(project))


def undo_mails(project: Path) -> list[email.message.EmailMessage]:
    found = sorted((project / "var" / "outbox").rglob("*.eml"))
    mails = [email.message_from_bytes(path.read_bytes(), policy=default) for path in found]
    return [mail for mail in mails if str(mail["Message-ID"]).startswith("<undo.")]  # type: ignore[misc]


def test_all_of_them_hold_are_flagged_and_each_reader_is_asked_once(
    sent: Store, run: Run, tmp_path: Path, use: Settings
) -> None:
    click(sent, 1, 2, 3)
    assert bursts(run) == (3, 3)
    assert len(standing_suppressions(sent)) == 3
    assert asked(tmp_path) == [f"person{number}@office.example" for number in (1, 2, 3)]
    assert bursts(run) == (0, 0)
    use({"MLGROUP_NOW": (TICK + timedelta(hours=3)).isoformat()})
    assert bursts(run) == (0, 0)
    assert len(asked(tmp_path)) == 3
    lines = [json.loads(line) for line in run("opt-out", "list", "--json").out.splitlines()]
    assert [line["burst"] for line in lines] == ["office.example"] * 3
    assert "perhaps by a mail gateway" in run("opt-out", "list").text
    assert "3 opt-outs came within minutes of its arrival at office.example" in run("status", LETTER, "--json").text
    assert run("verify").code == 0


def test_the_mail_leads_to_the_readers_own_page_and_names_the_topic(sent: Store, run: Run, tmp_path: Path) -> None:
    click(sent, 1, 2, 3)
    bursts(run)
    mail = undo_mails(tmp_path)[0]
    assert mail["Subject"] == "Was it you who left our mail?"
    assert mail["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "https://mail.example.org/opt-out/" in body.get_content()
        assert "Monthly newsletter" in body.get_content()


def test_it_speaks_the_readers_language(sent: Store, run: Run, tmp_path: Path) -> None:
    with sent.writing() as connection:
        connection.execute(update(schema.contact).where(schema.contact.c.id == 1).values(language="de-AT"))
    click(sent, 1, 2, 3)
    bursts(run)
    assert "Haben Sie unsere Nachrichten abbestellt?" in [mail["Subject"] for mail in undo_mails(tmp_path)]


@pytest.mark.parametrize(
    ("people", "minutes"),
    [((1, 2), 3), ((1, 2, 3), 11), ((1, 2, 3), -3)],
    ids=["two people", "later", "before it went"],
)
def test_what_people_do_is_no_burst(sent: Store, run: Run, people: tuple[int, ...], minutes: int) -> None:
    click(sent, *people, at=AT_TEN + timedelta(minutes=minutes))
    assert bursts(run) == (0, 0)


def test_a_few_of_very_many_are_no_burst(sent: Store, run: Run) -> None:
    with sent.writing() as connection:
        row = dict(connection.execute(select(schema.delivery).limit(1)).mappings().one())
        for number in range(100, 110):
            contact = {"id": number, "address": f"p{number}@office.example", "address_key": f"p{number}@office.example"}
            connection.execute(schema.contact.insert().values(**contact, joined_at=AT_TEN, changed_at=AT_TEN))
            key = {"id": number, "contact_id": number, "attempt_id": None}
            connection.execute(schema.delivery.insert().values(row | contact | key))
    click(sent, 1, 2, 3)
    assert bursts(run) == (0, 0)
    click(sent, 4, 5, 6)
    assert bursts(run) == (6, 6)


def test_two_topics_of_one_reader_are_one_person_and_one_mail(sent: Store, run: Run, tmp_path: Path) -> None:
    for topic in ("newsletter", ALL_TOPICS):
        click(sent, 1, 2, topic=topic)
    assert bursts(run) == (0, 0)
    click(sent, 3)
    assert bursts(run) == (5, 3)
    assert len(asked(tmp_path)) == 3


def test_who_had_opted_out_before_is_not_written_to(sent: Store, run: Run, tmp_path: Path) -> None:
    before = AT_TEN - timedelta(days=30)
    signal = Signal(
        kind=SignalKind.OPT_OUT,
        topic="calls",
        road=Road.HAND,
        at=before,
        address="person1@office.example",
        evidence="x",
    )
    apply_signal(sent, signal, now=before)
    lift_suppressions(
        sent, address="person1@office.example", topic="calls", by="the editor", reason="asked", now=before
    )
    apply_signal(sent, Signal(**{**_fields(signal), "address": "person2@office.example"}), now=before)
    click(sent, 1, 2, 3)
    assert bursts(run) == (3, 1)
    assert asked(tmp_path) == ["person3@office.example"]


def _fields(signal: Signal) -> dict[str, object]:
    return {name: getattr(signal, name) for name in Signal.__dataclass_fields__}


def test_who_took_it_back_or_opted_out_again_is_not_asked(sent: Store, run: Run, tmp_path: Path) -> None:
    click(sent, 1, 2, 3)
    lift_suppressions(
        sent, address="person1@office.example", topic="newsletter", by="the reader", reason="mistake", now=SOON
    )
    again = Signal(
        kind=SignalKind.OPT_OUT, topic=ALL_TOPICS, road=Road.MAILBOX, at=TICK, contact_id=2, evidence="a reply"
    )
    apply_signal(sent, again, now=TICK)
    assert bursts(run) == (3, 1)
    assert asked(tmp_path) == ["person3@office.example"]


def test_outside_the_allowed_domains_nobody_is_asked(
    sent: Store, run: Run, use: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(sent, 1, 2, 3)
    _flagged_just_now(sent)
    monkeypatch.delenv("MLGROUP_NOW")
    with fake_sendgrid() as fake:
        use(_through(fake) | {"MLGROUP_ALLOWED_DOMAINS": "example.org"})
        assert run("opt-out", "bursts", "--json").json["asked"] == 0
        assert fake.accepted == []


def test_a_mail_that_was_surely_not_taken_is_tried_again_and_one_in_doubt_is_not(
    sent: Store, run: Run, use: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(sent, 1, 2, 3)
    _flagged_just_now(sent)
    monkeypatch.delenv("MLGROUP_NOW")
    with fake_sendgrid() as fake:
        use(_through(fake))
        fake.faults.add(
            Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "1"}),
            Fault(trouble=Trouble.RESETS_AFTER),
        )
        assert run("opt-out", "bursts", "--json").json["asked"] == 2
        assert run("opt-out", "bursts", "--json").json["asked"] == 0
        assert len(fake.accepted) == 2
    assert sorted(outcome for (outcome,) in table(sent, "courtesy", "outcome")) == [
        *("accepted", "accepted", "deferred", "uncertain"),
    ]


def _flagged_just_now(store: Store) -> None:
    """Readers are asked for a day, by the machine's clock where mail leaves."""
    assert flag_bursts(store, now=TICK) == 3
    with store.writing() as connection:
        connection.execute(update(schema.burst_opt_out).values(flagged_at=datetime.now(AT_TEN.tzinfo)))


def _through(fake: object) -> dict[str, str]:
    return {
        "MLGROUP_TRANSPORT": "sendgrid",
        "MLGROUP_SENDGRID_URL": fake.url,  # type: ignore[attr-defined]
        "MLGROUP_SENDGRID_API_KEY": fake.key,  # type: ignore[attr-defined]
    }
