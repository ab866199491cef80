"""`contacts segment`: how many are in it, how many of them may be written to, and who they are, for example."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.lists import listed_project


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Path:
    """Four people, stored."""
    root = listed_project(tmp_path)
    assert run("contacts", "pull").code == 0
    return root


def test_a_segment_is_counted_and_shown(run: Run, project: Path) -> None:
    run("opt-out", "add", "ben@stats.example.org")
    run("opt-out", "add", "anna@stats.example.org", "--topic", "calls")
    shown = run("contacts", "segment", "members")
    assert shown.code == 0
    assert 'members: status = ["member", "lead"]' in shown.text
    assert "in the segment 3 of them reachable 2 on the list 4" in shown.text
    assert "status member 2 status lead 1" in shown.text
    assert "Anna Novak a…@stats.example.org Office of Statistics CZ" in shown.text
    assert "anna@stats.example.org" not in shown.text


def test_programs_get_one_object(run: Run, project: Path) -> None:
    run("opt-out", "add", "cleo@other.example")
    found = run("contacts", "segment", "french", "--json")
    assert found.code == 0
    assert found.json == {
        "segment": "french",
        "rule": 'country = "France", segment = "members"',
        "contacts": 2,
        "reachable": 1,
        "listed": 4,
        "counts": {"country": {"FR": 2}, "status": {"member": 2}},
        "nobody_has": [],
        "examples": [
            {
                "contact_id": 2,
                "address": "ben@stats.example.org",
                "name": "Ben Okoro",
                "organisation": "Office of Statistics",
                "country": "FR",
                "status": "member",
            },
            {
                "contact_id": 3,
                "address": "cleo@other.example",
                "name": "Cleo Petit",
                "organisation": "Institute",
                "country": "FR",
                "status": "member",
            },
        ],
    }


def test_without_a_name_all_segments_are_counted(run: Run, project: Path) -> None:
    """One that asks about a mailing that nobody has got yet keeps nobody from seeing the others."""
    problem = "the audience asks for whom letter/issue was accepted, and it has not been planned: that is nobody"
    assert run("contacts", "segment", "--json").json == {
        "segments": [
            {"segment": "members", "rule": 'status = ["member", "lead"]', "contacts": 3, "reachable": 3},
            {"segment": "french", "rule": 'country = "France", segment = "members"', "contacts": 2, "reachable": 2},
            {"segment": "got-it", "rule": 'accepted = "letter/issue"', "contacts": 0, "reachable": 0}
            | {"problem": problem},
        ]
    }
    shown = run("contacts", "segment")
    assert shown.code == 0
    assert 'members status = ["member", "lead"] 3 3' in shown.text
    assert f"got-it cannot be counted: {problem}" in shown.text


@pytest.mark.parametrize(
    ("rule", "contacts"),
    [
        ('country = ["FR", "CZ"]', 3),
        ('country = "", status = "board"', 1),
        ('{ address = "@example.org" }', 2),
        ('themes = "MLOps"\nnot = { status = "board" }', 1),
        ('any = [{ organisation = "inst*" }, { name = "Anna *" }]', 3),
        ('id = ["1", "members:4"]', 2),
        ('topics = "newsletter"', 1),
        ("", 4),
    ],
)
def test_a_rule_can_be_tried_before_it_is_written_anywhere(run: Run, project: Path, rule: str, contacts: int) -> None:
    assert run("contacts", "segment", "--rule", rule, "--json").json["contacts"] == contacts


def test_words_that_nobody_has_are_told(run: Run, project: Path) -> None:
    """A slip in a value is no error: the list may have such people tomorrow."""
    rule = 'status = ["membr", "lead"], not = { organisation = "*university*" }'
    shown = run("contacts", "segment", "--rule", rule)
    assert "in the segment 1" in shown.text
    assert "Nobody on the list has status = “membr”." in shown.text
    assert "Nobody on the list has organisation = “*university*”." in shown.text
    assert "= “lead”" not in shown.text
    everybody_has_one = run("contacts", "segment", "--rule", 'name = ""')
    assert "Everybody on the list has a name." in everybody_has_one.text


def test_no_more_than_ten_examples_are_shown(run: Run, project: Path) -> None:
    rows = ["Email,Name", *(f"person{number}@example.org,Person Number{number}" for number in range(12))]
    (project / "contacts" / "members.csv").write_text("\n".join(rows), encoding="utf-8")
    run("contacts", "pull", "--accept-changes")
    assert len(run("contacts", "segment", "--rule", "", "--json").json["examples"]) == 10
    assert "10 of them" in run("contacts", "segment", "--rule", "").text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["membrs"], "there is no segment “membrs” Did you mean “members”?"),
        (["--rule", 'contry = "FR"'], "--rule: the key “audience.contry” is not known here Did you mean “country”?"),
        (["--rule", "country ="], "--rule, line 1: this is not valid TOML"),
        (["--rule", 'country = "Absurdistan"'], "the country “Absurdistan” is not known"),
        (["--rule", 'segment = "nobody"'], "there is no segment “nobody”"),
        (["members", "--rule", 'country = "FR"'], "give the name of a segment or --rule, not both"),
        (["accepted:letter"], "“letter” does not name a mailing: write <campaign>/<mailing>"),
    ],
)
def test_a_slip_of_the_command_is_told_in_words(run: Run, project: Path, arguments: list[str], message: str) -> None:
    result = run("contacts", "segment", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.text


def test_a_mailing_that_nobody_has_got_cannot_be_asked_about(run: Run, project: Path) -> None:
    for name in ("got-it", "accepted:letter/issue"):
        result = run("contacts", "segment", name)
        assert result.code == 1
        assert "asks for whom letter/issue was accepted" in result.text


def test_segments_that_name_one_another_in_a_circle_are_a_fault_of_the_file(run: Run, project: Path) -> None:
    path = project / "contacts" / "contacts.toml"
    path.write_text(path.read_text(encoding="utf-8") + '[segment.x]\nsegment = "x"\n', encoding="utf-8")
    result = run("contacts", "segment")
    assert result.code == 2
    assert "in a circle: x → x" in result.text
    assert "contacts.toml" in result.text


def test_a_rule_of_a_thousand_levels_ends_in_one_sentence(run: Run, project: Path) -> None:
    for levels in (30, 300, 5000):
        rule = "not = { " * levels + 'country = "FR"' + " }" * levels
        result = run("contacts", "segment", "--rule", rule)
        assert result.code == 2
        assert "deep" in result.text
        assert "not foreseen" not in result.text
