"""Opt-outs that a mail gateway may have clicked: they hold, are flagged, and each reader is asked once, by mail."""

import email
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select, update

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.applying import apply_signal, lift_suppressions, standing_suppressions
from mlgroup_mail.consent.bursts import flag_bursts
from mlgroup_mail.consent.clicking import Click, Way, apply_clicks
from mlgroup_mail.delivery import courtesies
from mlgroup_mail.delivery.courtesies import CourtesyMail, new_token
from mlgroup_mail.delivery.merging import Links
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.undo_mails import UndoMails
from mlgroup_mail.delivery.waiting_courtesies import send_waiting
from mlgroup_mail.model import ALL_TOPICS, CourtesyKind, Road, Signal, SignalKind
from mlgroup_mail.settings.project import read_project
from mlgroup_mail.shipped import shipped
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.bursts import Unasked
from mlgroup_mail.store.courtesies import MOST_TRIES
from mlgroup_mail.testing.sendgrid import Fault, Trouble, fake_sendgrid
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, through
from tests.cli.conftest import Run
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.delivery.told import AT_TEN, open_ledger, table
from tests.delivery.transports.messages import make_message
from tests.factories import NOON, make_store, planned_mailing
from tests.servers.faults import Phase
from tests.servers.faulty_smtp import FaultySmtp

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


def test_after_half_a_minute_it_is_not_begun_any_more_and_goes_later(
    sent: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that slept in between: an opt-out may have come in, or the mail may be another one's by now."""
    click(sent, 1, 2, 3)
    asleep = iter([0.0, 31.0, 100.0, 100.0, 200.0, 200.0])
    monkeypatch.setattr(courtesies, "boot_seconds", lambda: next(asleep))
    assert bursts(run) == (3, 2)
    assert table(sent, "courtesy", "outcome", "detail")[0] == ("deferred", "not begun in time")
    burst = schema.burst_opt_out.c
    with sent.reading() as connection:
        waiting = connection.execute(select(burst.tries, burst.kept_back).where(burst.next_at.is_not(None))).all()
    assert waiting == [(0, "put_off")], "it was no try of theirs"


def test_what_the_mail_server_never_takes_is_tried_four_times_and_the_team_is_told(
    sent: Store, run: Run, use: Settings, faulty_smtp: FaultySmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(sent, 1, 2, 3)
    _flagged_just_now(sent)
    monkeypatch.delenv("MLGROUP_NOW")
    faulty_smtp.on(Phase.RCPT, "451 4.7.1 Later")
    use(through(faulty_smtp, environment="production"))
    for _ in range(MOST_TRIES + 1):
        assert run("opt-out", "bursts", "--json").json["asked"] == 0
        _wait_is_over(sent)
    assert len(table(sent, "courtesy", "id")) == 3 * MOST_TRIES
    told = "3 people have not got the question whether it was they who opted out: the mail server did not take it"
    assert told in run("status").text
    assert told in run("doctor").text


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_processes_at_once_ask_each_reader_once(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Each has made the same reader's mail before either begins it."""
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    with closing(make_store(tmp_path / "state", url)) as store:
        planned_mailing(store, 28)
        dispatch_all(store, RecordingTransport())
        click(store, 1, 8, 15, at=NOON + timedelta(minutes=3))
        now = NOON + timedelta(minutes=8)
        assert flag_bursts(store, now=now) == 3
        both = threading.Barrier(2)
        transports = [RecordingTransport(), RecordingTransport()]
        with ThreadPoolExecutor(2) as pool:
            asking = [pool.submit(send_waiting, _parts(store, each, now), _AtOnce(both)) for each in transports]
        assert sum(each.result().accepted for each in asking) == 3
        assert sorted(transports[0].begun + transports[1].begun) == sorted(set(_addresses(store, 1, 8, 15)))
        assert len(table(store, "courtesy", "id")) == 3


class _AtOnce(UndoMails):
    """Waits, with its first mail made, for another process to have made its own."""

    def __init__(self, both: threading.Barrier) -> None:
        super().__init__(read_project(shipped("mlgroup.toml").parent))
        self._both: threading.Barrier | None = both

    def make(self, parts: Sending, due: Unasked) -> CourtesyMail:
        message = make_message(due.address, attempt_id=0, delivery_id=0)
        both, self._both = self._both, None
        if both:
            both.wait(30)
        return CourtesyMail(kind=CourtesyKind.UNDO, token=new_token(), message=message)


def _parts(store: Store, transport: RecordingTransport, now: datetime) -> Sending:
    return Sending(store=store, transport=transport, clock=FixedClock(now), links=_no_links, allowed_domains=None)


def _no_links(topic: str) -> Links:
    raise AssertionError(topic)


def _addresses(store: Store, *people: int) -> list[object]:
    known = dict(table(store, "contact", "id", "address"))
    return [known[number] for number in people]


def _wait_is_over(store: Store) -> None:
    burst = schema.burst_opt_out
    with store.writing() as connection:
        waiting = update(burst).where(burst.c.next_at.is_not(None))
        connection.execute(waiting.values(next_at=burst.c.flagged_at))


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
