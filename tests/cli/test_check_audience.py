"""`check` tells who matches an audience and is left out all the same, and which words of its rule nobody has."""

from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN
from tests.cli.conftest import Run
from tests.cli.test_translations import project, write

__all__ = ["project"]

HERE = "campaigns/letter/campaign.md"


def findings(run: Run, rule: str) -> list[tuple[str, str, str, str]]:
    found = run("check", "letter", "--json").json["findings"]
    return [(each["level"], each["where"], each["message"], each["mend"]) for each in found if each["rule"] == rule]


def letter(project: Path, audience: str, *, topic: str = "newsletter") -> None:
    text = CAMPAIGN.replace('"members"', audience, 1)
    write(project, {"campaign.md": text.replace('topic = "newsletter"', f'topic = "{topic}"')})


def test_a_board_whom_the_topic_leaves_out_is_told_with_what_to_do(run: Run) -> None:
    assert run("init", "mine").code == 0
    sample = Path("mine/contacts/sample-members.csv")
    text = sample.read_text("utf-8").replace("board,board; newsletter,", "board,,").replace(",pt,member,", ",pt,board,")
    sample.write_text(text, "utf-8")
    assert run("--project", "mine", "contacts", "pull").code == 0
    assert run("--project", "mine", "new", "board-update", "update").code == 0
    checked = run("--project", "mine", "check", "update", "--json").json["findings"]
    (found,) = [each for each in checked if each["rule"] == "empty-audience"]
    assert "2 people match, and all are left out: 2 have not chosen the topic board" in found["message"]
    assert "Give them the topic board in the list" in found["mend"]
    assert "set default = true for board under [topics]" in found["mend"]


def test_whom_nobody_matches_is_told_to_look_at_the_list(run: Run, project: Path) -> None:
    assert run("contacts", "pull").code == 0
    letter(project, '{ status = "friend" }')
    ((_, _, message, mend),) = findings(run, "empty-audience")
    assert message == "nobody would get this mailing"
    assert "Pull the list" in mend


@pytest.mark.parametrize(
    ("audience", "told"),
    [
        ('{ not = { address = ["nosuch@x.example"] } }', "nobody on the list has address = “n…@x.example”"),
        ('{ status = ["member", "leed"] }', "nobody on the list has status = “leed”"),
        ('{ any = [{ status = "member" }, { organisation = "*univrsity*" }] }', "organisation = “*univrsity*”"),
        ('{ status = "member", not = { name = "Zoltan Nobody" } }', "nobody on the list has name = “Z… N…”"),
    ],
)
def test_a_word_that_nobody_on_the_list_has_is_a_warning_with_its_line(
    run: Run, project: Path, audience: str, told: str
) -> None:
    assert run("contacts", "pull").code == 0
    letter(project, audience)
    ((level, where, message, mend),) = findings(run, "nobody-has")
    assert (level, where) == ("warning", f"{HERE}, line 7")
    assert told in message
    assert mend


def test_a_word_of_a_named_segment_is_told_where_the_segment_stands(run: Run, project: Path) -> None:
    config = project / "contacts" / "contacts.toml"
    text = config.read_text("utf-8").rstrip() + '\n\n[segment.some]\nstatus = ["member", "leed"]\n'
    text += '\n[segment.all]\nany = [{ segment = "some" }, { country = "FR" }, { status = "member" }]\n'
    config.write_text(text, "utf-8")
    assert run("contacts", "pull").code == 0
    letter(project, '"all"')
    line = text.splitlines().index("[segment.some]") + 1
    found = {(where, message) for _, where, message, _ in findings(run, "nobody-has")}
    assert (f"contacts/contacts.toml, line {line}", "nobody on the list has status = “leed”") in found


def test_known_words_and_an_empty_list_are_no_slips(run: Run, project: Path) -> None:
    letter(project, '{ status = ["member", "leed"] }')
    assert findings(run, "nobody-has") == []
    assert run("contacts", "pull").code == 0
    letter(project, '{ status = ["member", "lead", "board"], not = { organisation = "" } }')
    assert findings(run, "nobody-has") == []
