"""`contacts pull`: what it tells of the stored list, and when it stops rather than follow a list that looks wrong."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter", "use"]

OFFICE = "Office of Statistics"
Row = tuple[str, str, str, str]


def row(number: int, **values: str) -> Row:
    given = {"address": person(number), "name": f"Person Number{number}", "organisation": OFFICE, "status": ""}
    return tuple((given | values).values())  # type: ignore[return-value]


def write_members(root: Path, rows: Sequence[Row]) -> None:
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Email", "Name", "Organisation", "Status", "Topics"), *rows])


@pytest.fixture
def twenty(run: Run, letter: Path) -> Path:
    """A project with twenty people on its stored list."""
    write_members(letter, [row(number) for number in range(1, 21)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    return letter


def test_a_list_that_was_cut_off_stops_the_pull_and_nothing_is_stored(run: Run, twenty: Path) -> None:
    write_members(twenty, [row(number) for number in range(1, 15)] + [row(30)])
    stopped = run("contacts", "pull", "--json")
    assert stopped.code == 1
    assert stopped.json["stopped"] is True
    would = stopped.json["would"]
    assert {name: would[name] for name in ("added", "changed", "unchanged", "left", "people")} == {
        "added": 1,
        "changed": 0,
        "unchanged": 14,
        "left": 6,
        "people": 20,
    }
    assert "stored" not in stopped.json
    assert len(stopped.json["examples"]) == 6
    assert stopped.json["rows"] == 15, "the usual keys are there too"
    assert "person15@" not in stopped.out, "addresses are masked"
    write_members(twenty, [row(number) for number in range(1, 21)])
    assert run("contacts", "pull", "--json").json["stored"] == {
        "added": 0,
        "changed": 0,
        "unchanged": 20,
        "returned": 0,
        "left": 0,
    }


def test_people_are_shown_what_would_happen_and_how_to_go_on(run: Run, twenty: Path) -> None:
    write_members(twenty, [row(number, organisation="Other") for number in range(1, 15)])
    stopped = run("contacts", "pull")
    assert stopped.code == 1
    assert "Stopped: 20 of 20 people would leave the list or change" in stopped.text
    assert "organisation 14" in stopped.text
    assert "leaves the list" in stopped.text
    assert "contacts pull --accept-changes" in stopped.text
    went_on = run("contacts", "pull", "--accept-changes", "--json")
    assert went_on.code == 0
    assert went_on.json["stopped"] is False
    assert went_on.json["stored"] | {"returned": 0} == {
        "added": 0,
        "changed": 14,
        "unchanged": 0,
        "returned": 0,
        "left": 6,
    }


@pytest.mark.parametrize(("gone", "code"), [(4, 0), (5, 1)])
def test_a_few_people_may_come_and_go(run: Run, twenty: Path, gone: int, code: int) -> None:
    """Fewer than five are no reason to stop; five are where they are more than a fifth: here with newcomers beside."""
    limits = "\n[pull]\nlargest_share = 0.1\n"
    config = twenty / "contacts" / "contacts.toml"
    config.write_text(config.read_text(encoding="utf-8") + limits, encoding="utf-8")
    write_members(twenty, [row(number) for number in range(1 + gone, 41)])
    assert run("contacts", "pull").code == code


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ("largest_share = 0.2\nsmallest_number = 4", 0),
        ("largest_share = 0.19\nsmallest_number = 4", 1),
        ("largest_share = 0.0\nsmallest_number = 5", 0),
    ],
    ids=["just the share", "more than the share", "less than the number"],
)
def test_the_limits_are_the_project_s(run: Run, twenty: Path, limits: str, code: int) -> None:
    config = twenty / "contacts" / "contacts.toml"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n[pull]\n{limits}\n", encoding="utf-8")
    write_members(twenty, [row(number) for number in range(5, 21)])
    assert run("contacts", "pull").code == code


@pytest.mark.parametrize("limits", ["largest_share = 1.5", "smallest_number = 0", "share = 0.5"])
def test_limits_that_cannot_be_are_refused(run: Run, twenty: Path, limits: str) -> None:
    config = twenty / "contacts" / "contacts.toml"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n[pull]\n{limits}\n", encoding="utf-8")
    refused = run("contacts", "pull")
    assert refused.code == 2
    assert "contacts.toml" in refused.err
    assert limits.partition(" ")[0] in refused.err


def test_newcomers_alone_never_stop_a_pull(run: Run, twenty: Path) -> None:
    write_members(twenty, [row(number) for number in range(1, 500)])
    assert run("contacts", "pull", "--json").json["stored"]["added"] == 479


def test_an_opt_out_that_a_stopped_list_states_is_not_stored_either(run: Run, twenty: Path) -> None:
    write_members(twenty, [row(1, status="unsubscribed")])
    assert run("contacts", "pull").code == 1
    assert run("opt-out", "list", "--json").out == ""
    assert run("contacts", "pull", "--accept-changes", "--json").json["opted_out"] == 1


def test_who_came_back_still_has_their_opt_out(run: Run, twenty: Path) -> None:
    run("opt-out", "add", person(3))
    everybody = [row(number) for number in range(1, 21)]
    write_members(twenty, [each for each in everybody if each[0] != person(3)])
    assert run("contacts", "pull", "--json").json["stored"]["left"] == 1
    write_members(twenty, everybody)
    assert run("contacts", "pull", "--json").json["stored"]["returned"] == 1
    run("approve", LETTER, "--by", "the editor")
    assert run("send", LETTER, "--json").json["excluded"] == {"opted_out": 1}


def moved(root: Path, *, name: str = "person  NUMBER3", organisation: str = OFFICE) -> None:
    """Person 3 vanishes, and somebody new looks like them."""
    rows = [row(number) for number in range(1, 21) if number != 3]
    write_members(root, [*rows, row(3, address="three@elsewhere.example", name=name, organisation=organisation)])


def test_a_suspected_move_is_shown_with_the_command_that_settles_it(run: Run, twenty: Path) -> None:
    moved(twenty)
    told = run("contacts", "pull", "--json")
    assert told.json["moves"] == [
        {"from": "p…@office.example", "to": "t…@elsewhere.example", "from_id": 3, "to_id": 21, "held": False}
    ]
    assert "three@" not in told.out
    run("approve", LETTER, "--by", "the editor")
    assert run("send", LETTER, "--json").json["excluded"] == {}, "nobody had opted out, so nobody is held"


def test_whoever_may_be_somebody_who_opted_out_is_held(run: Run, twenty: Path) -> None:
    run("opt-out", "add", person(3), "--topic", "calls")
    moved(twenty)
    told = run("contacts", "pull")
    assert "Perhaps the same people" in told.text
    assert "held: opted out" in told.text
    assert "person move VANISHED NEW" in told.text
    assert "person apart VANISHED NEW" in told.text
    run("approve", LETTER, "--by", "the editor")
    assert run("send", LETTER, "--json").json["excluded"] == {"held": 1}
    assert run("contacts", "pull", "--json").json["moves"] == [], "it is asked once"


def test_a_row_that_was_missing_for_a_while_is_a_suspected_move_too(run: Run, twenty: Path) -> None:
    run("opt-out", "add", person(3))
    write_members(twenty, [row(number) for number in range(1, 21) if number != 3])
    assert run("contacts", "pull", "--json").json["moves"] == []
    moved(twenty)
    assert [move["held"] for move in run("contacts", "pull", "--json").json["moves"]] == [True]


def test_a_dead_mailbox_is_no_reason_to_hold_whoever_has_a_new_one(run: Run, twenty: Path) -> None:
    moved(twenty, organisation="")
    assert run("contacts", "pull", "--json").json["moves"] == [], "without an organisation nobody is compared"


def test_namesakes_are_not_guessed_at_unless_one_had_opted_out(run: Run, twenty: Path) -> None:
    """Two new ones with the name of one who vanished: shown only where an opt-out might be lost, and then both held."""
    rows = [row(number) for number in range(1, 21) if number not in {3, 4}]
    namesakes = [
        row(3, address=f"{place}@elsewhere.example", name=f"Person Number{number}")
        for place, number in (("a", 3), ("b", 3), ("c", 4), ("d", 4))
    ]
    run("opt-out", "add", person(4))
    write_members(twenty, [*rows, *namesakes])
    moves = run("contacts", "pull", "--json").json["moves"]
    assert [(move["from_id"], move["to"][:1], move["held"]) for move in moves] == [(4, "c", True), (4, "d", True)]


def test_somebody_erased_is_told_of_at_each_pull(run: Run, twenty: Path, use: Settings) -> None:
    use({"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"})
    assert run("person", "erase", person(7), "--reason", "asked").code == 0
    told = run("contacts", "pull")
    assert told.code == 0
    assert "erased at their own wish: 1" in told.text
    assert "p…@office.example" in told.text
    assert run("contacts", "pull", "--json").json["erased"] == 1


def test_without_the_key_that_erased_people_are_known_by_nothing_is_pulled(
    run: Run, twenty: Path, use: Settings
) -> None:
    use({"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"})
    run("person", "erase", person(7), "--reason", "asked")
    use({"MLGROUP_ERASURE_KEY": ""})
    refused = run("contacts", "pull", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert "MLGROUP_ERASURE_KEY" in refused.err


def test_a_removed_source_is_told_with_what_to_do(run: Run, twenty: Path) -> None:
    sources = twenty / "contacts" / "contacts.toml"
    one = sources.read_text(encoding="utf-8")
    (twenty / "contacts" / "guests.csv").write_text("Email,Name\nguest@elsewhere.example,Guest\n", encoding="utf-8")
    sources.write_text(f'{one}\n[[source]]\nname = "guests"\npath = "guests.csv"\n', encoding="utf-8")
    assert run("contacts", "pull", "--json").json["stored"]["added"] == 1
    sources.write_text(one, encoding="utf-8")
    told = run("contacts", "pull")
    assert "a source that contacts.toml no longer has: 1" in told.text
    assert "contacts pull --accept-changes" in told.text
    assert run("contacts", "pull", "--json").json["orphaned"] == 1
    accepted = run("contacts", "pull", "--accept-changes", "--json").json
    assert (accepted["orphaned"], accepted["orphans_left"]) == (0, 1)
    assert "no longer on the list" in run("explain", "guest@elsewhere.example").text
