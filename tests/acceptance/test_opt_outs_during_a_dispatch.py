"""An opt-out by each road while processes send: nobody is attempted once it counts, and `verify` would tell if not.

SendGrid is the fake one, behind a gate: it answers a request with mail only when the test lets it, so that a dispatch
is under way, with requests in flight, whenever somebody opts out.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from mlgroup_mail.delivery.verifying import violations_in
from mlgroup_mail.model import ALL_TOPICS, DeliveryState
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.testing.sendgrid import Accepted, FakeSendGrid, fake_sendgrid
from mlgroup_mail.testing.sendgrid.answers import MAIL_SEND, Answer, Request
from mlgroup_mail.testing.sendgrid.batches import post
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList
from mlgroup_mail.web.webhook import PATH
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import CAMPAIGN, LETTER, command, person, small_project
from tests.cli.conftest import Run
from tests.delivery.told import about
from tests.web.readers import ONE_CLICK, PUBLIC, TOPICS, preferences_token, serving, token

PEOPLE, AT_ONCE = 90, 3
SECOND = "second/issue"
INVARIANT = "3 no attempt after an opt-out"
_DELIVERY, _ATTEMPT, _RULE, _SIGNAL = schema.delivery, schema.attempt, schema.suppression, schema.signal


class Gate:
    """Stands before the fake's answers to requests with mail: some may pass, then all."""

    def __init__(self, fake: FakeSendGrid) -> None:
        self._answer = fake.answer
        self._changed = threading.Condition()
        self._waiting, self._may_pass, self._open = 0, 0, False
        fake.answer = self._behind  # type: ignore[method-assign]

    def wait_for_a_request(self) -> None:
        """Wait until a request stands before it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._waiting > 0, timeout=60), "nobody sends"

    def let_pass(self, number: int) -> None:
        """So many more may pass, now or later."""
        with self._changed:
            self._may_pass += number
            self._changed.notify_all()

    def open(self) -> None:
        """All may pass."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def _behind(self, request: Request) -> Answer:
        if request.path == MAIL_SEND:
            with self._changed:
                self._waiting += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._open or self._may_pass > 0, timeout=60)
                self._waiting -= 1
                self._may_pass -= 1
        return self._answer(request)


@dataclass(kw_only=True)
class Story:
    """A group of ninety who got a first letter, while two processes send them a second one."""

    run: Run
    root: Path
    store: Store
    fake: FakeSendGrid
    url: str
    settings: dict[str, str]
    first: Mapping[str, Accepted]
    used: set[int] = field(default_factory=set)

    def event(self, number: int, kind: str, **more: object) -> None:
        """SendGrid tells something about somebody's first letter."""
        told = about(self.first[person(number)], kind, **{"timestamp": int(time.time()), **more})
        assert post([told], f"{self.url}{PATH}", self.fake.signer) == [200]

    def post(self, path: str, data: Mapping[str, str]) -> None:
        assert httpx.post(f"{self.url}{path}", data=dict(data), timeout=60).status_code == 200

    def order(self, *arguments: object) -> None:
        done = self.run(*arguments)
        assert done.code == 0, done.err

    def next_to_go(self) -> int:
        """Somebody whose turn comes next, or is there by the time that they have opted out."""
        with self.store.reading() as connection:
            statement = (
                select(_DELIVERY.c.contact_id)
                .where(_DELIVERY.c.mailing_id == 2, _DELIVERY.c.state == DeliveryState.PLANNED)
                .order_by(_DELIVERY.c.id)
            )
            found = connection.execute(statement).scalars()
            return next(number for number in found if number not in self.used)


def one_click(story: Story, number: int) -> None:
    story.post(f"/opt-out/{token(number, mailing_id=2)}", ONE_CLICK)


def page(story: Story, number: int) -> None:
    story.post(f"/opt-out/{token(number, mailing_id=1)}", {"scope": "all"})


def preferences(story: Story, number: int) -> None:
    ticked = {f"on-{topic}": "on" for topic in TOPICS[1:-1]}
    form = {"shown": ",".join(TOPICS), "was": ",".join(TOPICS[:-1]), **ticked}
    story.post(f"/preferences/{preferences_token(number)}", form)


def unsubscription(story: Story, number: int) -> None:
    story.event(number, "unsubscribe")


def complaint(story: Story, number: int) -> None:
    story.event(number, "spamreport")


def hard_bounce(story: Story, number: int) -> None:
    story.event(number, "bounce", type="bounce", status="5.1.1", reason="550 5.1.1 no such user")


def soft_bounces(story: Story, number: int) -> None:
    for day in (2, 1, 0):
        moment = int(time.time()) - day * 24 * 3600
        story.event(number, "bounce", type="blocked", status="4.2.2", reason="452 mailbox full", timestamp=moment)


def provider_list(story: Story, number: int) -> None:
    story.fake.account.suppressions.add(SuppressionList.UNSUBSCRIBES, person(number))
    story.order("opt-out", "pull")


def file(story: Story, number: int) -> None:
    path = story.root / f"{number}.csv"
    path.write_text(f"address,topic\n{person(number)},newsletter\n", encoding="utf-8")
    story.order("opt-out", "import", path)


def hand(story: Story, number: int) -> None:
    story.order("opt-out", "add", person(number), "--reason", "asked on the telephone")


def erasure(story: Story, number: int) -> None:
    story.order("person", "erase", person(number), "--reason", "asked by letter")


ROADS: Mapping[Callable[[Story, int], None], tuple[str, str, str]] = {
    one_click: ("opt_out", "page", "newsletter"),
    page: ("opt_out", "page", ALL_TOPICS),
    preferences: ("opt_out", "page", "newsletter"),
    unsubscription: ("opt_out", "provider", ALL_TOPICS),
    complaint: ("complaint", "provider", ALL_TOPICS),
    hard_bounce: ("bounce", "provider", ALL_TOPICS),
    soft_bounces: ("bounce", "provider", ALL_TOPICS),
    provider_list: ("opt_out", "provider", ALL_TOPICS),
    file: ("opt_out", "file", "newsletter"),
    hand: ("opt_out", "hand", ALL_TOPICS),
    erasure: ("opt_out", "hand", ALL_TOPICS),
}
"""Every road, and the rule that it leads to: kind, road, topic."""


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def story(tmp_path: Path, run: Run, use: Settings, request: pytest.FixtureRequest) -> Iterator[Story]:
    root = small_project(tmp_path / "project", people=PEOPLE)
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with ExitStack() as stack:
        fake = stack.enter_context(fake_sendgrid(tmp_path))
        settings = _settings(fake, url)
        use(settings | {"MLGROUP_PROJECT": str(root)})
        _second_letter(root)
        for order in (
            *(("db", "upgrade"), ("contacts", "pull"), ("opt-out", "pull"), ("approve", LETTER, "--by", "the editor")),
            ("send", LETTER, "--live", "--late", "trial"),
            *(("approve", SECOND, "--by", "the editor"), ("plan", SECOND)),
        ):
            done = run(*order)
            assert done.code == 0, done.err
        store = stack.enter_context(closing(Store(url or f"sqlite:///{root}/var/mlgroup.db", state=root / "var")))
        web, _ = stack.enter_context(serving(root, **settings))
        first = {each.address: each for each in fake.accepted}
        assert len(first) == PEOPLE
        yield Story(run=run, root=root, store=store, fake=fake, url=web, settings=settings, first=first)


def _settings(fake: FakeSendGrid, url: str | None) -> dict[str, str]:
    values = {
        "transport": "sendgrid",
        "sendgrid_url": fake.url,
        "sendgrid_api_key": fake.key,
        "sendgrid_pull": "true",
        "sendgrid_webhook_keys": fake.signer.public_key,
        "batch_size": str(AT_ONCE),
        "erasure_key": "an-erasure-key-for-tests-and-nothing-else",
    }
    if url:
        values["database_url"] = url.replace("postgresql+psycopg", "postgresql")
    return PUBLIC | {f"MLGROUP_{name.upper()}": value for name, value in values.items()}


def _second_letter(root: Path) -> None:
    folder = root / "campaigns" / "second"
    folder.mkdir()
    now = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%d %H:%M} UTC"
    content = CAMPAIGN.replace("2021-11-02 09:00 Europe/London", now).replace('"News"', '"More news"')
    (folder / "campaign.md").write_text(content, encoding="utf-8")


@contextmanager
def sending(story: Story) -> Iterator[Gate]:
    """Two processes that dispatch, at a gate; at the end it is open, and they have done all there was."""
    gate = Gate(story.fake)
    with ExitStack() as stack:
        stack.callback(gate.open)
        processes = [
            stack.enter_context(command(story.root, "dispatch", "--live", settings=story.settings)) for _ in range(2)
        ]
        gate.wait_for_a_request()
        yield gate
        gate.open()
        for process in processes:
            ended = process.end()
            assert ended.code == 0, ended.err


def test_by_each_road_nobody_is_attempted_once_it_counts(story: Story) -> None:
    far = {road: PEOPLE - place for place, road in enumerate(ROADS)}
    story.used |= set(far.values())
    opted_out: dict[int, Callable[[Story, int], None]] = {}
    with sending(story) as gate:
        gate.let_pass(2)
        for road, last in far.items():
            for number in (story.next_to_go(), last):
                gate.wait_for_a_request()
                story.used.add(number)
                road(story, number)
                opted_out[number] = road
                gate.let_pass(1)
        gate.wait_for_a_request()
        before = len(story.fake.requests)
    assert len(story.fake.requests) > before, "it was still sending after the last opt-out"
    judge(story, opted_out, never=set(far.values()))
    assert story.run("verify", "--json").json["violations"] == []
    for name, plant in PLANTS.items():
        assert (name, INVARIANT in found_after(story, plant)) == (name, True)
    for name, plant in NO_VIOLATIONS.items():
        assert (name, found_after(story, plant)) == (name, set())
    assert story.run("verify", "--json").json["violations"] == [], "what was planted is gone"


def judge(story: Story, opted_out: Mapping[int, Callable[[Story, int], None]], *, never: set[int]) -> None:
    """By the truth of the server and the rows themselves, by other means than `verify`."""
    got = [each.address for each in story.fake.accepted][PEOPLE:]
    assert len(got) == len(set(got)), "each at most once"
    assert set(got) >= {person(number) for number in range(1, PEOPLE + 1) if number not in opted_out}
    with story.store.reading() as connection:
        rules = rows(connection, select(_RULE))
        tried = rows(connection, _attempts_of_the_second)
        states = dict(connection.execute(_states_of_the_second).tuples().all())
    for number, road in opted_out.items():
        theirs = [rule for rule in rules if number == rule["contact_id"] or person(number) == rule["address_key"]]
        assert (road, [(rule["kind"], rule["road"], rule["topic"]) for rule in theirs]) == (road, [ROADS[road]])
        late = [each for each in tried if each["contact_id"] == number and each["number"] > theirs[0]["number"]]
        assert (road, late) == (road, [])
        assert (person(number) in got) is (states[number] == DeliveryState.ACCEPTED)
    assert {states[number] for number in never} == {DeliveryState.EXCLUDED}
    assert len({each["owner_id"] for each in tried}) == 2, "both processes sent"


_attempts_of_the_second = (
    select(_DELIVERY.c.contact_id, _ATTEMPT.c.number, _ATTEMPT.c.owner_id)
    .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
    .where(_DELIVERY.c.mailing_id == 2)
)
_states_of_the_second = select(_DELIVERY.c.contact_id, _DELIVERY.c.state).where(_DELIVERY.c.mailing_id == 2)


Plant = Callable[[Connection], object]
WRITTEN_TO = 1
"""Somebody who got both letters and has not opted out: the first of the list, who went before anybody else could."""


def rule_on(contact: int = WRITTEN_TO, **values: object) -> Plant:
    """A rule that stood before the first letter went, against the person, their mailbox, or as `values` say."""

    def plant(connection: Connection) -> None:
        usual = {
            **{"number": 0, "signal_id": 0, "restriction": "suppression", "kind": "opt_out", "topic": ALL_TOPICS},
            **{"address_key": "", "contact_id": contact, "reason": "", "road": "hand", "evidence": "planted"},
            **{"at": LONG_AGO, "lifted_by": "", "lifted_reason": ""},
        }
        rule = usual | values
        signal = {name: rule[name] for name in ("number", "kind", "topic", "road", "contact_id", "evidence", "at")}
        made = insert(_SIGNAL).values(
            **signal, fingerprint="planted", address=rule["address_key"], actor="", recorded_at=LONG_AGO
        )
        rule["signal_id"] = connection.execute(made).inserted_primary_key[0]
        connection.execute(insert(_RULE).values(**rule))

    return plant


def lift_of_what_was_planted(number: int) -> Plant:
    """Its end, by a person and with a reason, as of that number."""

    def plant(connection: Connection) -> None:
        connection.execute(
            update(_RULE)
            .where(_RULE.c.evidence == "planted")
            .values(lifted_number=number, lifted_at=LONG_AGO, lifted_by="x", lifted_reason="y")
        )
        connection.execute(
            insert(_SIGNAL).values(
                **{"fingerprint": "lift", "number": number, "kind": "lift", "topic": ALL_TOPICS, "road": "hand"},
                **{"contact_id": WRITTEN_TO, "evidence": "planted", "actor": "x", "at": LONG_AGO},
                recorded_at=LONG_AGO,
            )
        )

    return plant


def former_address(since: datetime) -> Plant:
    def plant(connection: Connection) -> None:
        known = {"contact_id": WRITTEN_TO, "address_key": "former@gone.example", "current": False, "moved_away": False}
        connection.execute(insert(schema.contact_address).values(**known, since=since))

    return plant


def proved_to_be(number: int) -> Plant:
    def plant(connection: Connection) -> None:
        moved = {"moved_to": number, "left_at": LONG_AGO, "changed_at": LONG_AGO}
        connection.execute(update(schema.contact).where(schema.contact.c.id == WRITTEN_TO).values(**moved))

    return plant


def sql(statement: str) -> Plant:
    return lambda connection: connection.execute(text(statement))


def all_of(*plants: Plant) -> Plant:
    return lambda connection: [plant(connection) for plant in plants]


LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)
FIRST_ATTEMPT = "SELECT min(number) FROM attempt"
EVERYTHING_AFTER = 1_000_000

PLANTS: Mapping[str, Plant] = {
    "a rule on the person": rule_on(),
    "a rule on the topic alone": rule_on(topic="newsletter"),
    "a rule on the mailbox, before it was anybody's": rule_on(contact_id=None, address_key=person(WRITTEN_TO)),
    "a bounce of the mailbox": rule_on(contact_id=None, address_key=person(WRITTEN_TO), kind="bounce"),
    "a complaint": rule_on(kind="complaint", road="provider"),
    "a hold": rule_on(restriction="hold", kind="review"),
    "a rule that was lifted too late": all_of(rule_on(), lift_of_what_was_planted(EVERYTHING_AFTER)),
    "a rule on an address they had had": all_of(
        rule_on(contact_id=None, address_key="former@gone.example"), former_address(LONG_AGO)
    ),
    "a rule on whom they had proved to be": all_of(rule_on(PEOPLE // 2), proved_to_be(PEOPLE // 2)),
    "an attempt that began after an opt-out of this day": sql(
        "UPDATE attempt SET number = (SELECT max(number) FROM suppression WHERE road = 'page') + 1 "
        "WHERE id = (SELECT max(delivery.attempt_id) FROM delivery JOIN suppression USING (contact_id) "
        "WHERE delivery.mailing_id = 1 AND suppression.road = 'page')"
    ),
    "an opt-out whose rule was taken away": lambda connection: connection.execute(
        delete(_RULE).where(_RULE.c.road == "page")
    ),
    "an opt-out whose rule was made younger": sql("UPDATE suppression SET number = number + 1 WHERE road = 'page'"),
    "an opt-out that was lifted before it was made": all_of(rule_on(number=5), lift_of_what_was_planted(1)),
    "an attempt with a number that nobody gave out": sql(
        f"UPDATE attempt SET number = {EVERYTHING_AFTER} WHERE id = (SELECT max(id) FROM attempt)"
    ),
}
"""Each kind of violation, planted behind the software's back."""

NO_VIOLATIONS: Mapping[str, Plant] = {
    "a rule on another topic": rule_on(topic="calls"),
    "a rule that was lifted before anything went": all_of(rule_on(number=-2), lift_of_what_was_planted(-1)),
    "a bounce of a mailbox that they had had": all_of(
        rule_on(contact_id=None, address_key="former@gone.example", kind="bounce"), former_address(LONG_AGO)
    ),
    "a rule on an address that became theirs afterwards": all_of(
        rule_on(contact_id=None, address_key="former@gone.example"),
        former_address(datetime.now(UTC) + timedelta(days=1)),
    ),
}
"""What looks like one."""


class _UndoError(Exception):
    """Ends a transaction of which nothing is to stay."""


def found_after(story: Story, plant: Plant) -> set[str]:
    """The invariants that are violated once that is planted; nothing of it stays."""
    found: set[str] = set()
    with suppress(_UndoError), story.store.deciding() as connection:
        plant(connection)
        found = {violation.invariant for violation in violations_in(connection)}
        raise _UndoError
    return found
