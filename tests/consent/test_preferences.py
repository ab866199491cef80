"""The page of topics: in whatever order people leave, choose and come back, they get what they chose last, and no
choice ends what somebody else has said."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.clicking import Click, Way, apply_clicks
from mlgroup_mail.consent.preferences import choices_of, choose
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.contacts.audience import split_audience
from mlgroup_mail.contacts.segment_rules import SegmentRule
from mlgroup_mail.contacts.segments import make_segment
from mlgroup_mail.delivery.verifying import verify_ledger
from mlgroup_mail.model import ALL_TOPICS, Contact, Road, Signal, SignalKind
from mlgroup_mail.store import Store
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.contacts import contacts_after, find_contact
from mlgroup_mail.store.moving import move_person
from tests.factories import NOON, add_contacts, make_contact, make_store

TOPICS = {"newsletter": True, "meetings": True, "calls": True, "board": False}
ANYBODY = make_segment("anybody", SegmentRule())

topic_names = st.sampled_from(tuple(TOPICS))
acts = st.one_of(
    st.tuples(st.just("choose"), st.dictionaries(topic_names, st.booleans(), min_size=1)),
    st.tuples(st.just("choose on an older page"), st.dictionaries(topic_names, st.booleans(), min_size=1)),
    st.tuples(st.just("click"), st.sampled_from((*TOPICS, ALL_TOPICS))),
    st.tuples(st.just("write"), st.sampled_from((*TOPICS, ALL_TOPICS))),
    st.tuples(st.just("team"), topic_names),
    st.tuples(st.just("import"), st.sets(topic_names)),
)


@dataclass
class Model:
    """What should hold: told in sets, by the rules that docs/opt-outs.md gives."""

    listed: set[str] = field(default_factory=set)
    chosen: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)

    def wanted(self) -> set[str]:
        return self.chosen | (self.listed or {topic for topic, on in TOPICS.items() if on})

    def gets(self) -> set[str]:
        return set() if ALL_TOPICS in self.left else self.wanted() - self.left - self.stopped

    def choose(self, asked: Mapping[str, bool]) -> None:
        before = self.gets()
        on = {topic for topic, wish in asked.items() if wish} - self.stopped - before
        off = {topic for topic, wish in asked.items() if not wish} & before
        if on and ALL_TOPICS in self.left:
            self.left = (self.left | self.wanted()) - {ALL_TOPICS}
        self.left = (self.left - on) | off
        self.chosen = (self.chosen | (on - self.wanted())) - off


def write(store: Store, topic: str, road: Road, count: int) -> None:
    signal = Signal(
        kind=SignalKind.OPT_OUT, topic=topic, road=road, at=NOON, contact_id=1, evidence=f"{count}", actor="the team"
    )
    apply_signal(store, signal, now=NOON)


def do(store: Store, model: Model, count: int, act: str, what: object) -> None:
    if act.startswith("choose"):
        assert isinstance(what, dict)
        knowing = act == "choose"
        choose(store, 1, what, TOPICS, knowing=knowing, now=NOON)
        if knowing or ALL_TOPICS not in model.left:
            model.choose(what)
    elif act == "click":
        click = Click(contact_id=1, mailing_id=1, topic=str(what), at=NOON, way=Way.ONE_CLICK)
        apply_clicks(store, [click], now=lambda: NOON)
        model.left.add(str(what))
    elif act == "write":
        write(store, str(what), Road.MAILBOX, count)
        model.left.add(str(what))
    elif act == "team":
        write(store, str(what), Road.HAND, count)
        model.stopped.add(str(what))
    else:
        assert isinstance(what, set)
        with store.deciding() as connection:
            person = replace(make_contact(1), topics=tuple(sorted(what)))
            sync_contacts(connection, [person], sources=frozenset({"members"}), now=NOON)
        model.listed = set(what)


def recipients(store: Store) -> set[str]:
    """The topics whose mailings contact 1 would get, by the way that every mailing takes."""
    found = set()
    with store.reading() as connection:
        people = [each for each in contacts_after(connection, 0, 10) if each.contact_id == 1]
        for topic, default in TOPICS.items():
            audience = split_audience(
                people,
                segment=ANYBODY,
                topic=topic,
                topic_default=default,
                restrictions=restrictions(connection, {each.contact_id: each.address for each in people}, topic),
                allowed_domains=None,
            )
            found |= {topic for _ in audience.recipients}
    return found


def follows_the_model(store: Store, told: list[tuple[str, object]]) -> None:
    model = Model()
    for count, (act, what) in enumerate(told):
        do(store, model, count, act, what)
        assert recipients(store) == model.gets(), (act, what)
        with store.reading() as connection:
            choices = choices_of(connection, 1, TOPICS)
        assert {topic for topic in TOPICS if choices.is_on(topic)} == model.gets(), "the page says what is so"
    assert verify_ledger(store, store.state).violations == ()


@pytest.fixture(scope="module")
def one_person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with nobody in it but contact 1: a file to copy."""
    folder = tmp_path_factory.mktemp("one")
    with closing(make_store(folder)) as store:
        add_contacts(store, [make_contact(1)])
        store.empty_log()
    return folder / "ledger.db"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(acts, max_size=8))
def test_people_get_what_they_chose_last(one_person: Path, told: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        shutil.copy(one_person, name)
        with closing(Store(f"sqlite:///{name}/ledger.db", state=Path(name))) as store:
            follows_the_model(store, told)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(acts, min_size=4, max_size=8))
def test_the_same_on_postgresql(on_postgresql: Store, told: list[tuple[str, object]]) -> None:
    with on_postgresql.writing() as connection:
        connection.execute(text("TRUNCATE contact, signal, suppression RESTART IDENTITY CASCADE"))
    add_contacts(on_postgresql, [make_contact(1)])
    follows_the_model(on_postgresql, told)


@pytest.fixture
def on_postgresql(tmp_path: Path, postgres_url: str) -> Iterator[Store]:
    with closing(make_store(tmp_path / "state", postgres_url)) as store:
        yield store


@pytest.mark.parametrize("kind", [SignalKind.COMPLAINT, SignalKind.BOUNCE])
def test_a_complaint_and_a_bounce_are_not_theirs_to_end(store: Store, kind: SignalKind) -> None:
    signal = Signal(kind=kind, topic=ALL_TOPICS, road=Road.PROVIDER, at=NOON, address="person1@office1.example")
    apply_signal(store, signal, now=NOON)
    assert choose(store, 1, {"newsletter": True, "board": True}, TOPICS, knowing=True, now=NOON) is False
    assert recipients(store) == set()


def test_saving_the_same_again_writes_nothing(store: Store) -> None:
    assert choose(store, 1, {"board": True, "calls": False}, TOPICS, knowing=False, now=NOON) is True
    assert choose(store, 1, {"board": True, "calls": False}, TOPICS, knowing=False, now=NOON) is False
    assert recipients(store) == {"newsletter", "meetings", "board"}


def test_nobodys_link_changes_nothing(store: Store) -> None:
    assert choose(store, 99, {"newsletter": False}, TOPICS, knowing=False, now=NOON) is False


def test_a_segment_that_asks_for_a_topic_finds_who_has_turned_it_on(store: Store) -> None:
    choose(store, 1, {"board": True}, TOPICS, knowing=False, now=NOON)
    board = make_segment("board", SegmentRule(topics=("board",)))
    with store.reading() as connection:
        found = board.select(contacts_after(connection, 0, 10))
    assert [each.contact_id for each in found] == [1]


def test_what_either_of_two_rows_has_turned_on_is_the_one_persons(store: Store) -> None:
    choose(store, 1, {"board": True}, TOPICS, knowing=False, now=NOON)
    choose(store, 2, {"board": True}, TOPICS, knowing=False, now=NOON)
    with store.deciding() as connection:
        rest = [replace(make_contact(2), name="Person Number1"), make_contact(3)]
        sync_contacts(connection, rest, sources=frozenset({"members"}), now=NOON)
        move_person(connection, "1", "2", by="the team", reason="one person", now=NOON, erased=lambda _: False)
    assert recipients(store) == {"newsletter", "meetings", "calls", "board"}
    with store.reading() as connection:
        found = find_contact(connection, "person2@office2.example")
    assert isinstance(found, Contact)
    assert found.chosen == ("board",)
