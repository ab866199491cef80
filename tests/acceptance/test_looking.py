"""`explain`, `status` and the dry run tell what would really happen."""

from pathlib import Path

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Run

IN_TIME = {"MLGROUP_NOW": "2021-11-02T10:00:00Z"}


def answer(run: Run, address: str) -> tuple[str, str]:
    (found,) = run("explain", address, "--json").json["mailings"]
    return found["answer"], found["because"]


def test_who_left_the_list_would_not_get_it(run: Run, letter: Path) -> None:
    assert answer(run, person(1))[0] == "would get"
    write_list(letter, [(person(number), "Somebody", "") for number in (2, 3, 4, 5, 6)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    assert "no longer on the list" in run("explain", person(1)).text
    assert answer(run, person(1))[0] == "does not get"


def test_who_opted_out_after_planning_does_not_get_it(run: Run, letter: Path) -> None:
    run("plan", LETTER)
    assert answer(run, person(1)) == ("gets", "planned")
    run("opt-out", "add", person(1), "--topic", "newsletter")
    assert answer(run, person(1)) == ("does not get", "opted out of this topic")
    assert run("send", LETTER, "--json").json["would_send"] == 5


def test_nobody_gets_a_mailing_that_was_cancelled(run: Run, letter: Path) -> None:
    run("cancel", LETTER)
    assert answer(run, person(1)) == ("does not get", "the mailing was cancelled")
    dry = run("send", LETTER)
    assert "it is cancelled" in dry.text
    assert "It goes out with" not in dry.text


def test_who_joined_after_planning_is_not_promised_anything(run: Run, letter: Path) -> None:
    run("plan", LETTER)
    write_list(letter, [(person(number), "Somebody", "") for number in range(1, 8)])
    run("contacts", "pull", "--accept-changes")
    assert answer(run, person(7)) == ("does not get", "was not in its audience when that was frozen")


def test_before_its_time_a_mailing_is_neither_sent_nor_frozen(run: Run, letter: Path, use: Settings) -> None:
    use({"MLGROUP_NOW": "2021-11-01T10:00:00Z"})
    early = run("send", LETTER, "--live")
    assert early.code == 0
    assert "Not due before 2021-11-02 09:00 UTC" in early.text
    assert run("status", LETTER, "--json").json["state"] == "approved"


def test_a_campaign_that_cannot_be_read_is_named(run: Run, letter: Path) -> None:
    (letter / "campaigns" / "letter" / "campaign.md").write_text("nothing", encoding="utf-8")
    assert "letter cannot be read: mlgroup-mail check letter says why" in run("status").text


def test_every_command_says_that_this_is_not_the_ledger_of_live_mail(run: Run, letter: Path) -> None:
    (letter / "ledger.toml").write_text('ledger = "another"\n', encoding="utf-8")
    for command in (("status",), ("send", LETTER), ("approve", LETTER, "--by", "the editor")):
        assert "ledger.toml names another ledger" in run(*command).err
    assert run("db", "adopt", "--reason", " ").code == 2
    adopted = run("db", "adopt", "--reason", "the disk is gone")
    assert (adopted.code, "It knows 0 standing opt-outs and 0 mailings" in adopted.text) == (0, True)
    assert "names another" not in run("status").err


def test_what_has_gone_out_is_not_warned_of_as_late(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    assert [each["rule"] for each in run("check", "letter", "--json").json["findings"]] == ["past-send-at"]
    run("send", LETTER, "--live")
    assert run("check", "letter", "--json").json["findings"] == []
