"""What was checked is approved, what was approved is planned, and a plan that failed is no dead end."""

import csv
import json
import sqlite3
import zoneinfo
from collections.abc import Sequence
from pathlib import Path

import pytest

from mlgroup_mail.delivery import checking, planning
from mlgroup_mail.preflight.findings import Finding
from mlgroup_mail.preflight.subject import CheckSubject
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import CAMPAIGN, CONTACTS_TOML, LETTER, person
from tests.cli.conftest import Run

IN_TIME = {"MLGROUP_NOW": "2021-11-02T10:00:00Z"}
ZONES = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone)[:210]
NAMES_ZONES = "You live in {{ recipient.timezone }}."

Reader = tuple[str, str, str]
"""Address, topics, time zone."""


def write_readers(root: Path, readers: Sequence[Reader]) -> None:
    """A list whose people live in time zones."""
    columns = 'topics = "Topics", timezone = "Zone"'
    toml = CONTACTS_TOML.replace('name = "Name", topics = "Topics"', columns)
    (root / "contacts" / "contacts.toml").write_text(toml, encoding="utf-8")
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Email", "Topics", "Zone"), *readers])


def write_letter(root: Path, text: str, old: str = "there is news") -> None:
    assert old in CAMPAIGN
    (root / "campaigns" / "letter" / "campaign.md").write_text(CAMPAIGN.replace(old, text), encoding="utf-8")


def approve(run: Run) -> int:
    return run("approve", LETTER, "--by", "the editor").code


def states(run: Run) -> dict[str, str]:
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    assert len({line["contact_id"] for line in lines}) == len(lines), "everybody once"
    return {line["address"]: line["state"] for line in lines}


def everywhere(first: int, topics: str = "") -> list[Reader]:
    """People in 210 time zones: more than a mailing may have variants."""
    return [(person(first + number), topics, zone) for number, zone in enumerate(ZONES)]


@pytest.fixture
def too_many(run: Run, letter: Path) -> Path:
    """A letter that names its readers' time zones; it was approved for one reader, and then 210 joined."""
    write_readers(letter, [(person(1), "", "Europe/Vienna")])
    assert run("contacts", "pull", "--accept-changes").code == 0
    write_letter(letter, NAMES_ZONES)
    assert approve(run) == 0
    write_readers(letter, [(person(1), "", "Europe/Vienna"), *everywhere(2)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    return letter


@pytest.mark.parametrize("kept_out_by", ["their topics", "an opt-out"])
def test_who_is_left_out_cannot_hinder_the_others_mail(run: Run, letter: Path, kept_out_by: str) -> None:
    """210 people read something else each, and get nothing: `check` does not count them, and neither does `plan`."""
    topics = "calls" if kept_out_by == "their topics" else ""
    write_readers(letter, [*everywhere(100, topics), (person(1), "", "Europe/Vienna")])
    assert run("contacts", "pull", "--accept-changes").code == 0
    if not topics:
        opt_outs = letter / "leavers.csv"
        opt_outs.write_text("\n".join(["address", *(address for address, *_ in everywhere(100))]), encoding="utf-8")
        assert run("opt-out", "import", opt_outs).code == 0
    write_letter(letter, NAMES_ZONES)
    assert approve(run) == 0
    planned = run("plan", LETTER, "--json")
    assert planned.code == 0, planned.text
    assert planned.json["counts"]["planned"] == 1
    assert planned.json["counts"]["excluded"] == 210


def test_a_plan_that_failed_can_be_approved_again_with_a_mended_text(run: Run, too_many: Path, use: Settings) -> None:
    use(IN_TIME)
    failed = run("plan", LETTER)
    assert (failed.code, "more than 200 variants" in failed.text) == (1, True)
    told = run("status", LETTER)
    assert "nobody is planned yet, so `approve letter/issue` can still take a mended text" in told.text
    write_letter(too_many, "there is mended news")
    again = run("approve", LETTER, "--by", "the editor")
    assert again.code == 0, again.text
    assert run("status", LETTER, "--json").json["state"] == "approved"
    sent = run("send", LETTER, "--live", "--json")
    assert (sent.code, sent.json["counts"]["accepted"]) == (0, 211), sent.text
    assert {*states(run).values()} == {"accepted"}
    mails = list((too_many / "var" / "outbox").rglob("*.eml"))
    assert len(mails) == 211
    assert all(b"there is mended news" in path.read_bytes() for path in mails)
    assert run("verify").code == 0


def test_who_was_left_out_before_the_plan_failed_is_looked_at_anew(
    run: Run, letter: Path, use: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first people on the list had not chosen newsletters; the mended mailing is about calls, which they have."""
    use(IN_TIME)
    monkeypatch.setattr(planning, "CHUNK", len(ZONES) + 1)
    late = [(person(number), "calls", "Europe/Vienna") for number in range(1, len(ZONES) + 2)]
    write_readers(letter, [*late, (person(300), "", "Europe/Vienna")])
    assert run("contacts", "pull", "--accept-changes").code == 0
    write_letter(letter, NAMES_ZONES)
    assert approve(run) == 0
    write_readers(letter, [*late, (person(300), "", "Europe/Vienna"), *everywhere(400)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    assert run("plan", LETTER).code == 1
    assert {*states(run).values()} == {"excluded"}
    write_letter(letter, 'topic = "calls"', 'topic = "newsletter"')
    assert approve(run) == 0
    assert states(run) == {}
    planned = run("plan", LETTER, "--json").json["counts"]
    assert planned["planned"] == len(late) + 1 + len(ZONES)
    assert run("verify").code == 0


def test_once_somebody_is_planned_no_other_text_can_be_approved(
    run: Run, too_many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "CHUNK", 50)
    assert run("plan", LETTER).code == 1
    assert sum(state == "planned" for state in states(run).values()) == 200
    write_letter(too_many, "there is mended news")
    refused = run("approve", LETTER, "--by", "the editor")
    assert refused.code == 1
    assert "a part of letter/issue is planned already, from the text that was approved" in refused.text
    assert "Or cancel it, and add a new [[mailing]]" in refused.text
    assert run("cancel", LETTER).code == 0
    assert run("verify").code == 0


def test_what_was_checked_is_approved_whatever_is_saved_meanwhile(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague saves the text with a slip in it while `approve` is at work."""
    real = checking.check

    def check_while_somebody_writes(subject: CheckSubject) -> tuple[Finding, ...]:
        found = real(subject)
        write_letter(letter, "TODO: the news")
        return found

    monkeypatch.setattr(checking, "check", check_while_somebody_writes)
    assert approve(run) == 0
    with sqlite3.connect(letter / "var" / "mlgroup.db") as connection:
        ((source,),) = connection.execute("SELECT source FROM mailing").fetchall()
    assert "there is news" in json.loads(source)["text"]
    told = run("status", LETTER, "--json").json
    assert (told["state"], told["approval"], told["changed"]) == ("draft", "void", ["the text changed"])


def test_an_approval_that_is_void_is_told_as_such(run: Run, letter: Path) -> None:
    new = letter / "campaigns" / "new"
    new.mkdir()
    (new / "campaign.md").write_text(CAMPAIGN, encoding="utf-8")
    write_letter(letter, "there is other news")
    one, other = sorted(run("status", "--json").json["mailings"], key=lambda each: str(each["mailing"]))
    assert (one["state"], one["approval"], one["changed"]) == ("draft", "void", ["the text changed"])
    assert (other["state"], other["approval"], other["changed"]) == ("draft", "none", [])
    table = run("status").text
    assert "draft (approval void)" in table
    assert "its approval is void, it has changed since its approval: the text changed." in table
    assert "mlgroup-mail approve letter/issue --by YOUR-NAME" in table
    assert approve(run) == 0
    assert run("status", LETTER, "--json").json["approval"] == "valid"
    assert "void" not in run("status").text


EVENT = "- id: meeting\n  title: Meeting\n  start: 2021-11-10 {}:00 Europe/London\n"


def test_what_changed_after_the_plan_is_named_when_the_approved_text_goes_out(
    run: Run, letter: Path, use: Settings
) -> None:
    use(IN_TIME)
    events = letter / "campaigns" / "events.yaml"
    events.write_text(EVENT.format(14), encoding="utf-8")
    write_letter(letter, 'we meet {{ events["meeting"] | when }}')
    assert approve(run) == 0
    assert run("plan", LETTER, "--json").json["changed"] == []
    events.write_text(EVENT.format(15), encoding="utf-8")
    write_letter(letter, 'we do meet {{ events["meeting"] | when }}')
    expected = ["the text changed", "the event meeting changed"]
    dry = run("send", LETTER, "--json")
    assert dry.json["changed"] == expected
    sent = run("send", LETTER, "--live")
    assert "what went out is what was approved, whatever has changed since: the text changed; the event" in sent.text
    assert sent.code == 0
    for path in (letter / "var" / "outbox").rglob("*.eml"):
        assert b"we meet Wednesday, 10 November 2021, 14:00" in path.read_bytes().replace(b"=\r\n", b"")
    again = run("send", LETTER, "--live", "--json")
    assert again.json["changed"] == [], "nothing went out"


@pytest.mark.parametrize("command", [("send", LETTER), ("dispatch",)])
def test_the_json_of_sending_has_a_key_for_what_changed(
    run: Run, letter: Path, use: Settings, command: tuple[str, ...]
) -> None:
    use(IN_TIME)
    assert run("plan", LETTER).code == 0
    write_letter(letter, "there is other news")
    sent = run(*command, "--live", "--json").json
    (one,) = sent.get("mailings", [sent])
    assert (one["state"], one["changed"]) == ("finished", ["the text changed"])


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('audience = "members"', 'audience = "member"', 7),
        ('name = "issue"', 'name = "issue"\naudience = "member"', 11),
        ('audience = "members"', 'audience = { not = { segment = "member" } }', 7),
    ],
    ids=["the campaign's", "a mailing's own", "within a table"],
)
def test_an_unknown_segment_is_told_with_its_line_and_the_name_that_was_meant(
    run: Run, letter: Path, old: str, new: str, line: int
) -> None:
    write_letter(letter, new, old)
    (found,) = [each for each in run("check", "letter", "--json").json["findings"] if each["level"] == "error"]
    assert found["where"] == f"campaigns/letter/campaign.md, line {line}"
    assert "there is no segment “member”" in found["message"]
    assert "Did you mean “members”?" in found["message"] + found["mend"]
