"""Who opted out gets nothing, whatever the list does to them: from the command line to a planned mailing."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run

ERASURE_KEY = {"MLGROUP_ERASURE_KEY": "an-erasure-key-for-tests-and-nothing-else"}
ANA = "ana.costa@bücher.example"
OFFICE = "Office of Statistics"

SPELLINGS = {
    "upper case": "ANA.COSTA@BÜCHER.EXAMPLE",
    "a link": "mailto:ana.costa@bücher.example",
    "with a name": "Ana Costa <ana.costa@bücher.example>",
    "an unseen character": "ana.costa\u200b@bücher.example",
    "a full-width at": "ana.costa\uff20bücher.example",
    "A-labels": "ana.costa@xn--bcher-kva.example",
    "a full stop behind": "ana.costa@bücher.example.",
    "letters and marks apart": "ana.costa@bu\u0308cher.example",
    "blanks around": "\u00a0ana.costa@bücher.example ",
    "as it was": ANA,
}

SOURCES = """\
[[source]]
name = "members"
path = "members.csv"

[[source]]
name = "partners"
path = "partners.csv"

[segment.members]
status = "member"
"""

Row = tuple[str, ...]


class Group:
    """A group whose list changes, and its letter."""

    def __init__(self, run: Run, root: Path) -> None:
        self._run, self._root = run, root
        (root / "contacts" / "contacts.toml").write_text(SOURCES, encoding="utf-8")
        self.pull([(ANA, "Ana Costa")])

    def pull(self, members: Sequence[Row], partners: Sequence[Row] = ()) -> dict[str, object]:
        """Pull a list of some colleagues and these people: address, name, id, further addresses."""
        colleagues = [(person(number), f"Person Number{number}") for number in range(1, 7)]
        self._write("members.csv", [*colleagues, *members])
        self._write("partners.csv", [("somebody@partner.example", "Some Body"), *partners])
        pulled = self._run("contacts", "pull", "--accept-changes", "--json")
        assert pulled.code == 0, pulled.err
        return pulled.json  # type: ignore[no-any-return]

    def _write(self, name: str, rows: Sequence[Row]) -> None:
        with (self._root / "contacts" / name).open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(("Email", "Name", "ID", "Aliases", "Organisation"))
            lines.writerows((*row, *[""] * (4 - len(row)), OFFICE) for row in rows)

    def order(self, *arguments: object) -> None:
        done = self._run(*arguments)
        assert done.code == 0, done.err

    def planned(self) -> dict[str, str]:
        """Plan the letter: address -> "planned", or why not."""
        self.order("approve", LETTER, "--by", "the editor")
        self.order("plan", LETTER)
        log = [json.loads(line) for line in self._run("log", LETTER, "--json").out.splitlines()]
        assert self._run("verify", "--json").json["violations"] == []
        return {line["address"].lower(): line["reason"] or line["state"] for line in log}


@pytest.fixture
def group(run: Run, letter: Path) -> Group:
    return Group(run, letter)


def nobody_but_colleagues(planned: dict[str, str]) -> bool:
    colleagues = {*(person(number) for number in range(1, 7)), "somebody@partner.example"}
    return {address for address, state in planned.items() if state == "planned"} == colleagues


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_re_import_in_another_spelling(group: Group, spelling: str) -> None:
    group.order("opt-out", "add", ANA)
    group.pull([])
    group.pull([(spelling, "Ana Costa")])
    planned = group.planned()
    assert nobody_but_colleagues(planned)
    assert planned["ana.costa@xn--bcher-kva.example"] == "opted_out"


def test_a_new_address_under_the_same_id(group: Group) -> None:
    group.pull([(ANA, "Ana Costa", "17")])
    group.order("opt-out", "add", ANA)
    group.pull([("ana@elsewhere.example", "Ana Costa", "17")])
    assert group.planned()["ana@elsewhere.example"] == "opted_out"


def test_a_row_that_vanished_and_one_that_looks_like_it(group: Group) -> None:
    group.order("opt-out", "add", ANA, "--topic", "newsletter")
    pulled = group.pull([("ana@elsewhere.example", "ANA  Costa")])
    (move,) = pulled["moves"]  # type: ignore[misc]
    assert move["held"] is True
    group.order("person", "move", move["from_id"], move["to_id"], "--reason", "she wrote from there", "--by", "me")
    planned = group.planned()
    assert nobody_but_colleagues(planned)
    assert planned["ana@elsewhere.example"] == "opted_out_topic"


def test_nobody_says_whether_somebody_has_moved(group: Group) -> None:
    group.order("opt-out", "add", ANA)
    group.pull([])
    group.pull([("ana@elsewhere.example", "Ana Costa")])
    assert group.planned()["ana@elsewhere.example"] == "held"


def test_two_rows_of_one_person(group: Group) -> None:
    """The one that opted out joins a row with a second address, by that row's alias."""
    group.order("opt-out", "add", ANA)
    group.pull([("ana@elsewhere.example", "Ana Costa", "", ANA)])
    planned = group.planned()
    assert nobody_but_colleagues(planned)


def test_two_people_who_proved_to_be_one(group: Group) -> None:
    """Either of them may have opted out."""
    group.pull([(ANA, "Ana Costa"), ("ana@elsewhere.example", "Ana Costa")])
    group.order("opt-out", "add", "ana@elsewhere.example")
    group.pull([("ana@elsewhere.example", "Ana Costa")])
    group.order("person", "move", ANA, "ana@elsewhere.example", "--reason", "the same")
    group.pull([("ana@elsewhere.example", "Ana Costa")])
    group.pull([("ana@third.example", "Ana Costa", "", "ana@elsewhere.example")])
    planned = group.planned()
    assert nobody_but_colleagues(planned)
    assert planned["ana@third.example"] == "opted_out"


def test_a_second_source(group: Group) -> None:
    group.order("opt-out", "add", ANA)
    group.pull([], [(ANA.upper(), "Costa, Ana", "3")])
    assert nobody_but_colleagues(group.planned())


def test_an_id_of_another_source_is_another_id(group: Group) -> None:
    group.pull([(ANA, "Ana Costa", "17")], [("ben@partner.example", "Ben", "5")])
    group.order("opt-out", "add", ANA)
    group.pull([], [("ben@partner.example", "Ben", "17"), ("ana@elsewhere.example", "Ana", "1", ANA)])
    planned = group.planned()
    assert planned["ben@partner.example"] == "planned"
    assert planned["ana@elsewhere.example"] == "opted_out"


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_an_erasure_and_a_re_import(group: Group, use: Settings, spelling: str) -> None:
    use(ERASURE_KEY)
    group.order("person", "erase", ANA, "--reason", "asked for it")
    pulled = group.pull([(spelling, "Ana Costa")])
    assert pulled["erased"] == 1
    planned = group.planned()
    assert nobody_but_colleagues(planned)
    assert not any("costa" in address for address in planned)


def test_an_erasure_and_an_alias_of_a_row(group: Group, use: Settings) -> None:
    use(ERASURE_KEY)
    group.order("person", "erase", ANA, "--reason", "asked for it")
    assert group.pull([("ana@elsewhere.example", "Ana Costa", "", ANA)])["erased"] == 1
    assert nobody_but_colleagues(group.planned())


def test_an_opt_out_that_the_list_states(group: Group, run: Run, letter: Path) -> None:
    """A status counts before the people it comes with can be written to, and once: a person's lift is not undone."""
    path = letter / "contacts" / "members.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("Organisation", "Organisation,Status") + f"new@office.example,New,,,{OFFICE},unsubscribed\n",
        encoding="utf-8",
    )
    assert run("contacts", "pull", "--json").json["opted_out"] == 1
    group.order("opt-out", "lift", "new@office.example", "--reason", "asked to be back")
    assert run("contacts", "pull", "--json").json["opted_out"] == 0
    assert run("opt-out", "list", "new@office.example", "--json").out == ""
