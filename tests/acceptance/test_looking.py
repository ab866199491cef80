"""`explain`, `status` and the dry run tell what would really happen."""

from pathlib import Path

import pytest

from mlgroup_mail.content.campaigns.campaign import Campaign
from mlgroup_mail.delivery import approving
from mlgroup_mail.settings.project import Project
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import CAMPAIGN, LETTER, person, write_list
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


@pytest.mark.parametrize(
    "text", ["x.md", "a\\u0000b.md", f"{'a' * 300}.md"], ids=["links in a circle", "half a name", "too long a name"]
)
def test_a_campaign_that_cannot_be_read_hides_no_other(run: Run, letter: Path, text: str) -> None:
    broken = letter / "campaigns" / "broken"
    broken.mkdir()
    (broken / "x.md").symlink_to("x.md")
    written = CAMPAIGN.replace('name = "issue"', f'name = "issue"\ntext = "{text}"')
    (broken / "campaign.md").write_text(written, encoding="utf-8")
    told = run("status", "--json").json
    assert [each["mailing"] for each in told["mailings"]] == [LETTER]
    assert told["unreadable"] == ["broken"]
    table = run("status").text
    assert LETTER in table
    assert "broken cannot be read: mlgroup-mail check broken says why" in table
    (found,) = [each for each in run("check", "broken", "--json").json["findings"] if each["level"] == "error"]
    assert found["where"].startswith("campaigns/broken/campaign.md, line ")


def test_status_reads_a_campaign_once_however_many_mailings_it_has(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "".join(f'[[mailing]]\nname = "no{n}"\nsend_at = "2021-11-0{n} 09:00 UTC"\n\n' for n in (3, 4, 5))
    text = CAMPAIGN.replace("[[mailing]]", f"{more}[[mailing]]")
    (letter / "campaigns" / "letter" / "campaign.md").write_text(text, encoding="utf-8")
    for number in (3, 4):
        assert run("approve", f"letter/no{number}", "--by", "the editor").code == 0
    real, read = approving.read_campaign, []

    def count(project: Project, campaign_id: str) -> Campaign:
        read.append(campaign_id)
        return real(project, campaign_id)

    monkeypatch.setattr(approving, "read_campaign", count)
    assert len(run("status", "--json").json["mailings"]) == 4
    assert read == ["letter"]


def test_a_campaign_that_leads_nowhere_is_not_passed_over(run: Run, letter: Path) -> None:
    broken = letter / "campaigns" / "broken"
    broken.mkdir()
    (broken / "campaign.md").symlink_to("nothing.md")
    assert run("status", "--json").json["unreadable"] == ["broken"]


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
