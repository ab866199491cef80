"""However lists change from pull to pull, the store says who is who as a few lines of plain Python do."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import delete, select, text

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.contact_changes import SyncResult
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.joining import add_person
from mlgroup_mail.store.moving import move_person
from mlgroup_mail.store.transactions import rows
from tests.factories import NOON, make_store
from tests.repeatable import REPEATABLE

LISTS = ("members", "board")
MAILBOXES = [f"{name}@office.example" for name in ("a", "B", "b", "c", "d", "e")]


@dataclass(kw_only=True)
class Person:
    """Somebody as the model knows them; `mailboxes` holds every address key they have or had: have they moved away?"""

    number: int
    contact: Contact
    listed: bool = True
    origin: str = "list"
    mailboxes: dict[str, bool] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return addresses.key(self.contact.address)


class Model:
    """The rules of identity, in the plainest words."""

    def __init__(self) -> None:
        self.people: list[Person] = []

    def pull(self, contacts: list[Contact], sources: Iterable[str]) -> SyncResult:
        found: dict[int, Person] = {}
        for way in (self._by_id, self._by_address, self._by_history):
            for place, contact in enumerate(contacts):
                if place not in found:
                    free = (
                        each for each in way(contact, contacts) if all(each is not taken for taken in found.values())
                    )
                    if person := next(free, None):
                        found[place] = person
        numbers = dict.fromkeys(("added", "changed", "unchanged", "left", "returned", "outdated"), 0)
        gone = [
            each
            for each in self.people
            if each.listed and each.origin == "list" and each.contact.source in sources
            if all(each is not person for person in found.values())
        ]
        for place, contact in enumerate(contacts):
            if place in found:
                self._update(found[place], contact, numbers)
            else:
                numbers["added"] += 1
                self._add(contact)
        for person in gone:
            person.listed = False
            numbers["left"] += 1
        return SyncResult(**numbers)

    def _by_id(self, contact: Contact, contacts: list[Contact]) -> list[Person]:
        same = [each for each in self._listed_first() if contact.external_id == each.contact.external_id != ""]
        same = [each for each in same if not self._given_to_another(each, contact, contacts)]
        return sorted(same, key=lambda each: each.key != addresses.key(contact.address))

    def _given_to_another(self, person: Person, contact: Contact, contacts: list[Contact]) -> bool:
        mailbox = addresses.key(contact.address)
        if person.key == mailbox or person.contact.name == contact.name:
            return False
        elsewhere = person.key in {addresses.key(each.address) for each in contacts}
        return elsewhere or any(each.key == mailbox for each in self.people if each is not person)

    def _by_address(self, contact: Contact, contacts: list[Contact]) -> Iterator[Person]:
        for person in self._listed_first():
            same_name = person.contact.name == contact.name
            if person.key == addresses.key(contact.address) and (same_name or not self._contradict(person, contact)):
                yield person

    def _by_history(self, contact: Contact, contacts: list[Contact]) -> Iterator[Person]:
        for address in (contact.address, *contact.aliases):
            for person in self._listed_first():
                moved_away = person.mailboxes.get(addresses.key(address))
                known = moved_away is False or (moved_away and person.contact.name == contact.name)
                if known and not self._contradict(person, contact):
                    yield person

    def _listed_first(self) -> list[Person]:
        return sorted(self.people, key=lambda each: (not each.listed, each.number))

    @staticmethod
    def _contradict(person: Person, contact: Contact) -> bool:
        one, other = person.contact.external_id, contact.external_id
        return "" not in (one, other) and one != other and one.split(":")[0] == other.split(":")[0]

    def _update(self, person: Person, contact: Contact, numbers: dict[str, int]) -> None:
        if person.mailboxes.get(addresses.key(contact.address)):
            numbers["outdated"] += 1
            contact = with_address(contact, person.contact.address)
        same = with_aliases(person.contact) == with_aliases(contact)
        numbers["returned" if not person.listed else "unchanged" if same else "changed"] += 1
        person.listed, person.contact = True, contact
        person.mailboxes[person.key] = False
        for alias in contact.aliases:
            person.mailboxes.setdefault(addresses.key(alias), False)

    def _add(self, contact: Contact, origin: str = "list") -> None:
        known = {addresses.key(each): False for each in (contact.address, *contact.aliases)}
        number = len(self.people) + 1
        self.people.append(Person(number=number, contact=contact, origin=origin, mailboxes=known))

    def joins(self, contact: Contact) -> None:
        self._add(contact, origin="page")

    def moves(self, person: Person, address: str) -> None:
        if person.key != addresses.key(address):
            person.mailboxes[person.key] = True
        person.contact = with_address(person.contact, address)
        person.mailboxes[person.key] = False


def with_address(contact: Contact, address: str) -> Contact:
    return Contact(**{**_values(contact), "address": address})  # type: ignore[arg-type]


def with_aliases(contact: Contact, *aliases: str) -> Contact:
    return Contact(**{**_values(contact), "aliases": aliases})  # type: ignore[arg-type]


def _values(contact: Contact) -> dict[str, object]:
    return {name: getattr(contact, name) for name in Contact.__slots__}


def a_contact(source: str) -> st.SearchStrategy[Contact]:
    numbers = st.sampled_from(["", "", "1", "2", "3"])
    return st.builds(
        Contact,
        address=st.sampled_from(MAILBOXES),
        name=st.sampled_from(["Ana", "Ben"]),
        themes=st.sampled_from([(), ("nlp", "maps")]),
        aliases=st.lists(st.sampled_from(MAILBOXES), max_size=2).map(tuple),
        external_id=numbers.map(lambda number: f"{source}:{number}" if number else ""),
        source=st.just(source),
    )


A_LIST = st.one_of(*(st.lists(a_contact(source), max_size=5) for source in LISTS))
BOTH = st.lists(st.one_of(*(a_contact(source) for source in LISTS)), max_size=6)


class Identity(RuleBasedStateMachine):
    """Pulls of one list or both, people who join by themselves or move; after each the store equals the model."""

    store: Store

    @initialize()
    def begin(self) -> None:
        with self.store.writing() as connection:
            for table in (schema.contact_address, schema.journal, schema.contact):
                connection.execute(delete(table))
            if not self.store.on_sqlite:
                connection.execute(text("ALTER SEQUENCE contact_id_seq RESTART"))
        self.model = Model()

    @rule(contacts=BOTH, sources=st.sampled_from([LISTS, LISTS, LISTS[:1], LISTS[1:]]))
    def pull(self, contacts: list[Contact], sources: tuple[str, ...]) -> None:
        contacts = [each for each in contacts if each.source in sources]
        self._pull(contacts, sources)
        again = self._pull(contacts, sources)
        if len({addresses.key(each.address) for each in contacts}) == len(contacts):
            assert again.added == again.left == again.returned == 0, "a second pull of the same list adds nobody"

    def _pull(self, contacts: list[Contact], sources: tuple[str, ...]) -> SyncResult:
        with self.store.deciding() as connection:
            result = sync_contacts(connection, iter(contacts), sources=frozenset(sources), now=NOON)
        assert result == self.model.pull(contacts, sources)
        self._compare()
        return result

    @rule(contact=a_contact("page"))
    def somebody_joins(self, contact: Contact) -> None:
        with self.store.deciding() as connection:
            add_person(connection, contact, origin="page", now=NOON)
        self.model.joins(contact)
        self._compare()

    @rule(data=st.data(), address=st.sampled_from(MAILBOXES))
    def somebody_moves(self, data: st.DataObject, address: str) -> None:
        """Where the new address is nobody's: two rows of one person are the tests' of `store.moving`."""
        if not self.model.people:
            return
        person = data.draw(st.sampled_from(self.model.people))
        if any(each.key == addresses.key(address) for each in self.model.people):
            return
        with self.store.deciding() as connection:
            move_person(connection, str(person.number), address, by="x", reason="x", now=NOON)
        self.model.moves(person, address)
        self._compare()

    def _stored(self) -> list[tuple[object, ...]]:
        with self.store.reading() as connection:
            return [
                (
                    *(row[name] for name in ("id", "address", "name", "external_id", "source", "origin")),
                    tuple(row["themes"]),
                    row["left_at"] is None,
                )
                for row in rows(connection, select(schema.contact).order_by(schema.contact.c.id))
            ]

    def _compare(self) -> None:
        people = self.model.people
        assert self._stored() == [
            (
                each.number,
                *(getattr(each.contact, name) for name in ("address", "name", "external_id", "source")),
                each.origin,
                each.contact.themes,
                each.listed,
            )
            for each in people
        ]
        with self.store.reading() as connection:
            known = {
                (row["contact_id"], row["address_key"], row["current"], row["moved_away"])
                for row in rows(connection, select(schema.contact_address))
            }
        assert known == {
            (each.number, key, key == each.key, moved_away)
            for each in people
            for key, moved_away in each.mailboxes.items()
        }


@pytest.mark.parametrize(("server", "examples"), [(False, 60), (True, 10)], ids=["SQLite", "PostgreSQL"])
def test_a_pull_finds_who_is_who(tmp_path: Path, request: pytest.FixtureRequest, server: bool, examples: int) -> None:
    url = request.getfixturevalue("postgres_url") if server else None
    with closing(make_store(tmp_path, url)) as store:
        machine = type("Machine", (Identity,), {"store": store})
        some = settings(
            max_examples=examples,
            stateful_step_count=12,
            derandomize=REPEATABLE,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(machine, settings=some)
