"""docs/privacy.md speaks of every table and of every time that is kept: nothing about a person is left out of it."""

import re
import tomllib

import pytest

from mlgroup_mail.model.retention import Retained
from mlgroup_mail.reporting.person.further import FURTHER
from mlgroup_mail.settings.retention import FIXED, Retention
from mlgroup_mail.store import schema
from mlgroup_mail.store.belongings import WITH_WORDS_OF_THEIR_OWN, Belongings, other_rows
from tests.docs.pages import ROOT, blocks, section

PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
HELD = section(PAGE, "What is held")
TABLES = {table.name: table for table in schema.metadata.sorted_tables}
_NAMED = re.compile(r"`([a-z_]+)`")
_WHO = {"address", "address_key", "contact_id", "delivery_id", "signal_id", "mac", "mailbox"}
"""Columns by which a row is somebody's."""


def held() -> list[tuple[str, ...]]:
    """The rows of the table: what, where, why, basis, kept."""
    lines = [line for line in HELD.splitlines() if line.startswith("| ")][1:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def held_tables() -> list[str]:
    return [name for row in held() for name in _NAMED.findall(row[1])]


def said_to_hold_nothing() -> list[str]:
    (paragraph,) = [part for part in HELD.split("\n\n") if part.startswith("Nothing about a person")]
    return _NAMED.findall(paragraph)


def test_every_table_of_the_ledger_is_named_once() -> None:
    assert sorted([*held_tables(), *said_to_hold_nothing()]) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_with_somebodys_address_or_number_is_among_those_that_hold_something(name: str) -> None:
    if name in said_to_hold_nothing():
        assert set(TABLES[name].columns.keys()) & _WHO == set()


@pytest.mark.parametrize("row", held(), ids=lambda row: row[1])
def test_each_has_a_reason_a_basis_and_a_time(row: tuple[str, ...]) -> None:
    assert len(row) == 5
    assert all(row)


def test_every_time_that_can_be_chosen_is_given_with_what_it_is_for_and_its_default() -> None:
    (block,) = [each for each in blocks(PAGE) if each.language == "toml" and "[retention]" in each.text]
    told = tomllib.loads(block.text)["retention"]
    chosen = {kind: str(period) for kind, period in Retention().periods() if kind not in FIXED}
    assert told == {kind.value: period for kind, period in chosen.items()}
    kept = " ".join(row[4] for row in held())
    assert {kind for kind in chosen if f"`{kind.value}`" not in kept} == set()
    assert set(Retained) == {*chosen, *FIXED}


def test_what_is_handed_to_a_person_has_words_for_every_table() -> None:
    """Not the names of columns: somebody is to read it."""
    nobody = Belongings(contact_id=None, numbers=(), own=frozenset(), shared=frozenset())
    assert {table.name for table, _ in other_rows(nobody)} == set(FURTHER)
    assert {*FURTHER, *WITH_WORDS_OF_THEIR_OWN} | {"erased", "unplaced_event"} == set(held_tables())
