"""A correction goes to those whom the mailing was accepted for, and to nobody else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.delivery import planning
from tests.acceptance.projects import CAMPAIGN, CONTACTS_TOML, LETTER, person
from tests.cli.conftest import Result, Run

CORRECTION = "correction/issue"


def write_correction(root: Path, audience: str = f'"accepted:{LETTER}"', topic: str = "newsletter") -> None:
    """A second letter, to whom the first was accepted for."""
    text = CAMPAIGN.replace('audience = "members"', f"audience = {audience}")
    text = text.replace('topic = "newsletter"', f'topic = "{topic}"').replace("Dear", "We were wrong, dear")
    folder = root / "campaigns" / "correction"
    folder.mkdir(exist_ok=True)
    (folder / "campaign.md").write_text(text, encoding="utf-8")


@pytest.fixture
def correction(letter: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project with the letter sent to six people but for those excluded before, and a correction written."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:00:00+00:00")
    monkeypatch.setattr(planning, "CHUNK", 2)
    write_correction(letter)
    return letter


def order(root: Path, statement: str) -> None:
    """Put the ledger into a state."""
    with closing(sqlite3.connect(root / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.execute(statement)


def states(run: Run, mailing: str) -> dict[str, str]:
    """What became of each person: their number -> state, or the reason why not."""
    lines = [line.split(",") for line in run("log", mailing, "--csv").out.splitlines()[1:]]
    return {address[6]: reason if state == "excluded" else state for address, _, state, reason, *_ in lines}


def send(run: Run, mailing: str) -> Result:
    assert run("approve", mailing, "--by", "the editor").code == 0
    return run("send", mailing, "--live", "--json")


def test_only_those_whom_the_mailing_was_accepted_for_get_the_correction(run: Run, correction: Path) -> None:
    run("opt-out", "add", person(2))
    assert run("send", LETTER, "--live").code == 0
    run("opt-out", "lift", person(2), "--reason", "they asked for it")
    run("opt-out", "add", person(3))
    assert run("check", "correction", "--json").json["errors"] == 0
    forecast = run("send", CORRECTION, "--json").json
    assert (forecast["would_send"], forecast["excluded"]) == (4, {"opted_out": 1})
    result = send(run, CORRECTION)
    assert (result.code, result.json["state"], result.json["audience"]) == (0, "finished", 5)
    assert states(run, CORRECTION) == {
        "1": "accepted",
        "3": "opted_out",
        "4": "accepted",
        "5": "accepted",
        "6": "accepted",
    }


def test_a_correction_of_another_topic_leaves_out_who_did_not_choose_it(run: Run, correction: Path) -> None:
    run("send", LETTER, "--live")
    write_correction(correction, topic="surveys")
    run("opt-out", "add", person(4), "--topic", "surveys")
    run("opt-out", "add", person(5), "--topic", "newsletter")
    assert send(run, CORRECTION).json["counts"]["accepted"] == 5
    assert states(run, CORRECTION)["4"] == "opted_out_topic"
    assert states(run, CORRECTION)["5"] == "accepted"


def test_the_others_can_be_asked_for_too(run: Run, correction: Path) -> None:
    run("opt-out", "add", person(2))
    run("send", LETTER, "--live")
    run("opt-out", "lift", person(2), "--reason", "they asked for it")
    write_correction(correction, audience=f'{{ segment = "members", not = {{ accepted = "{LETTER}" }} }}')
    assert send(run, CORRECTION).json["audience"] == 1
    assert states(run, CORRECTION) == {"2": "accepted"}


def test_a_correction_to_what_never_went_out_is_an_error_everywhere(run: Run, correction: Path) -> None:
    """Approved is not planned: nobody has it, and a frozen audience of nobody would be the end of it."""
    for mailing in (LETTER, "gone/issue"):
        write_correction(correction, audience=f'"accepted:{mailing}"')
        result = run("check", "correction", "--json")
        assert result.code == 1
        finding, *_ = result.json["findings"]
        assert finding["message"].startswith(f"the audience asks for whom {mailing} was accepted, and it has not been")
        assert finding["where"] == "campaigns/correction/campaign.md, line 7"
        assert run("approve", CORRECTION, "--by", "the editor").code == 1
        assert run("send", CORRECTION).code == 1
        assert f"{CORRECTION} unknown the audience asks for whom {mailing}" in run("explain", person(1)).text
        assert f"{LETTER} would get" in run("explain", person(1)).text


def test_planning_asks_again(run: Run, correction: Path) -> None:
    """The approval was right when it was given; another ledger was put in place since."""
    run("send", LETTER, "--live")
    assert run("approve", CORRECTION, "--by", "the editor").code == 0
    order(correction, "UPDATE mailing SET audience = NULL WHERE campaign = 'letter'")
    result = run("plan", CORRECTION)
    assert result.code == 1
    assert f"the audience asks for whom {LETTER} was accepted" in result.text
    assert run("status", CORRECTION, "--json").json["state"] == "approved"
    assert f"hindered: {CORRECTION}: the audience asks" in run("dispatch", "--live").text


def test_who_may_or_may_not_have_it_or_may_yet_get_it_is_told_and_not_in_it(run: Run, correction: Path) -> None:
    run("send", LETTER, "--live")
    order(correction, "UPDATE delivery SET state = 'uncertain' WHERE contact_id IN (2, 3)")
    order(correction, "UPDATE delivery SET state = 'deferred' WHERE contact_id = 4")
    found = {each["rule"]: each for each in run("check", "correction", "--json").json["findings"]}
    assert found["answers-in-doubt"]["level"] == found["answers-to-come"]["level"] == "warning"
    assert found["answers-in-doubt"]["message"].startswith(f"2 people may or may not have got {LETTER}")
    assert found["answers-to-come"]["message"].startswith(f"1 person may still get {LETTER}")
    shown = run("approve", CORRECTION, "--by", "the editor")
    assert "2 people may or may not have got" in shown.text
    assert run("send", CORRECTION, "--live", "--json").json["audience"] == 3
    assert states(run, CORRECTION) == {"1": "accepted", "5": "accepted", "6": "accepted"}
    assert "answers-in-doubt" not in run("check", "correction").text, "it has gone out"


def test_a_dry_run_tells_whom_the_correction_misses(run: Run, correction: Path) -> None:
    run("send", LETTER, "--live")
    assert run("send", CORRECTION, "--json").json["remarks"] == [
        f"not approved yet: mlgroup-mail approve {CORRECTION} --by YOUR-NAME"
    ]
    order(correction, "UPDATE delivery SET state = 'uncertain' WHERE contact_id IN (2, 3)")
    order(correction, "UPDATE delivery SET state = 'planned' WHERE contact_id = 4")
    forecast = run("send", CORRECTION, "--json").json
    assert forecast["would_send"] == 3
    assert f"2 in doubt about {LETTER} are not among them: settle them first" in forecast["remarks"][1]
    assert f"1 may still get {LETTER} and are not among them: let it finish first" in forecast["remarks"][2]
    assert "2 in doubt about" in run("send", CORRECTION).text


def test_explain_tells_who_would_get_it(run: Run, correction: Path) -> None:
    run("opt-out", "add", person(2))
    run("send", LETTER, "--live")
    assert f"{CORRECTION} would get is in the audience “accepted:{LETTER}”" in run("explain", person(1)).text
    assert f"{CORRECTION} does not get is not in the audience “accepted:{LETTER}”" in run("explain", person(2)).text
    write_correction(correction, audience=f'{{ accepted = "{LETTER}", country = "FR" }}')
    assert f'is not in the audience {{ accepted = "{LETTER}", country = "FR" }}' in run("explain", person(1)).text


def test_a_segment_that_is_named_by_another_is_part_of_the_approval(run: Run, correction: Path) -> None:
    toml = correction / "contacts" / "contacts.toml"
    toml.write_text(CONTACTS_TOML + '[segment.core]\nsegment = "members"\nname = "Person*"\n', encoding="utf-8")
    text = correction / "campaigns" / "letter" / "campaign.md"
    text.write_text(text.read_text(encoding="utf-8").replace('"members"', '"core"'), encoding="utf-8")
    assert run("approve", LETTER, "--by", "the editor").code == 0
    listed = toml.read_text(encoding="utf-8")
    toml.write_text(listed.replace('[segment.members]\nstatus = "member"', '[segment.members]\nstatus = "lead"'))
    result = run("send", LETTER, "--live")
    assert result.code == 1
    assert "has changed since its approval" in result.text
    assert "the audience rule changed" in result.text
