"""A campaign named without a mailing: `status` shows its mailings, and orders say which there are."""

from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN, small_project
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def two_campaigns(run: Run, tmp_path: Path) -> None:
    small_project(tmp_path)
    again = '\n[[mailing]]\nname = "again"\nsend_at = "2021-11-09 09:00 UTC"\n+++\nDear'
    (tmp_path / "campaigns" / "letter" / "campaign.md").write_text(CAMPAIGN.replace("+++\nDear", again[1:]), "utf-8")
    (tmp_path / "campaigns" / "other").mkdir()
    (tmp_path / "campaigns" / "other" / "campaign.md").write_text(CAMPAIGN, "utf-8")
    assert run("contacts", "pull").code == 0


@pytest.mark.parametrize("name", ["letter", "campaigns/letter/"])
def test_status_of_a_campaign_shows_its_mailings_and_no_other(run: Run, name: str) -> None:
    shown = run("status", name, "--json")
    assert [each["mailing"] for each in shown.json["mailings"]] == ["letter/issue", "letter/again"]
    assert len(run("status", "--json").json["mailings"]) == 3
    assert run("status", name).code == 0
    assert run("status", "letter/again", "--json").json["mailing"] == "letter/again"


def test_status_of_no_campaign_says_so(run: Run) -> None:
    refused = run("status", "lettr")
    assert refused.code == 2
    assert "lettr" in refused.err


def test_status_of_a_campaign_that_cannot_be_read_says_where_to_look(run: Run) -> None:
    Path("campaigns/other/campaign.md").write_text("nothing", "utf-8")
    assert run("status", "other", "--json").json == {
        "mailings": [],
        "unreadable": ["other"],
        "missing_courtesies": [],
    }


@pytest.mark.parametrize(
    "command", [("approve", "letter", "--by", "me"), ("send", "letter"), ("plan", "letter"), ("log", "letter")]
)
def test_an_order_for_a_campaign_lists_its_own_mailings(run: Run, command: tuple[str, ...]) -> None:
    refused = run(*command)
    assert refused.code == 2
    assert "“letter” is a campaign" in refused.text
    assert "letter/issue, letter/again" in refused.text
    assert "does not name a mailing" in run(command[0], "nothing", *command[2:]).text
