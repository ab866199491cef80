"""`new`: a campaign folder to fill in."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.errors import UsageError
from mlgroup_mail.scaffold.campaign import TOPICS, make_campaign
from mlgroup_mail.scaffold.project import make_project
from mlgroup_mail.settings.project import Project, read_project
from tests.cli.conftest import Run

THURSDAY = datetime(2030, 1, 3, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    make_project(tmp_path / "ours", now=THURSDAY)
    return read_project(tmp_path / "ours")


@pytest.mark.parametrize("kind", TOPICS)
def test_check_finds_every_place_still_to_be_filled_in_and_nothing_else(run: Run, project: Project, kind: str) -> None:
    made = run("--project", project.root, "new", kind, "2030-02-spring")
    assert made.code == 0
    assert "campaigns/2030-02-spring/campaign.md" in made.text
    assert "mlgroup-mail check 2030-02-spring" in made.text
    run("--project", project.root, "contacts", "pull")
    checked = run("--project", project.root, "check", "2030-02-spring", "--json")
    assert checked.code == 1
    assert {finding["rule"] for finding in checked.json["findings"] if finding["level"] == "error"} == {"left-overs"}

    for path in (project.campaigns / "2030-02-spring").glob("*.md"):
        path.write_text(re.sub(r"TODO:?", "Written", path.read_text(encoding="utf-8")), encoding="utf-8")
    checked = run("--project", project.root, "check", "2030-02-spring", "--json")
    assert (checked.code, checked.json["errors"]) == (0, 0), checked.out


@pytest.mark.parametrize(
    ("now", "zone", "send_at"),
    [
        (THURSDAY, "Europe/London", datetime(2030, 1, 4, 9, tzinfo=UTC)),
        # Friday's next weekday is Monday.
        (datetime(2030, 1, 4, 12, tzinfo=UTC), "Europe/London", datetime(2030, 1, 7, 9, tzinfo=UTC)),
        # Saturday evening in London is Sunday in Auckland, whose Monday morning is London's Sunday evening.
        (datetime(2030, 1, 5, 20, tzinfo=UTC), "Pacific/Auckland", datetime(2030, 1, 6, 20, tzinfo=UTC)),
    ],
)
def test_it_is_due_on_the_next_weekday_at_nine_where_the_group_is(
    project: Project, now: datetime, zone: str, send_at: datetime
) -> None:
    here = project.file.model_copy(update={"group": project.group.model_copy(update={"timezone": zone})})
    project = Project(root=project.root, file=here)
    make_campaign(project, "newsletter", "news", now=now)
    assert read_campaign(project, "news").mailings[0].send_at == send_at


def test_a_calls_reminders_come_before_its_deadline_and_on_weekdays(project: Project) -> None:
    make_campaign(project, "call", "call", now=THURSDAY)
    call = read_campaign(project, "call")
    times = [mailing.send_at for mailing in call.mailings]
    assert [mailing.name for mailing in call.mailings] == ["invitation", "reminder-1", "last-call"]
    assert times == sorted(times)
    assert times[-1].date().isoformat() < str(call.values["deadline"])
    assert all(time.weekday() < 5 for time in times)


def test_an_invitation_is_to_the_next_event_of_the_calendar(project: Project) -> None:
    calendar = project.campaigns / "events.yaml"
    calendar.write_text(
        "- {id: past, title: P, start: 2030-01-02}\n"
        "- {id: later, title: L, start: 2030-06-01}\n"
        "- {id: next, title: N, start: 2030-02-01 10:00 UTC}\n",
        encoding="utf-8",
    )
    make_campaign(project, "invitation", "meeting", now=THURSDAY)
    assert read_campaign(project, "meeting").mailings[0].event == "next"
    calendar.write_text("", encoding="utf-8")
    make_campaign(project, "invitation", "another", now=THURSDAY)
    assert not read_campaign(project, "another").mailings[0].event


def test_a_board_update_goes_to_the_board_on_its_topic(project: Project) -> None:
    make_campaign(project, "board-update", "update", now=THURSDAY)
    campaign = read_campaign(project, "update")
    assert (campaign.topic, campaign.mailings[0].audience) == ("board", "board")


def test_it_takes_what_the_project_has_where_the_usual_names_are_missing(run: Run, project: Project) -> None:
    """Quotes in a name are no harm."""
    path = project.root / "mlgroup.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("[sender.newsletter]", "['sender'.'the \"news\" desk']").replace(
        "newsletter = {", "'our \"news\"' = {"
    )
    path.write_text(text, encoding="utf-8")
    assert run("--project", project.root, "new", "newsletter", "news").code == 0
    campaign = read_campaign(read_project(project.root), "news")
    assert (campaign.sender, campaign.topic) == ('the "news" desk', 'our "news"')


def test_a_campaign_that_exists_is_left_as_it_is(run: Run, project: Project) -> None:
    path = project.campaigns / "first-newsletter" / "campaign.md"
    before = path.read_text(encoding="utf-8")
    refused = run("--project", project.root, "new", "newsletter", "first-newsletter")
    assert refused.code == 2
    assert "this campaign exists already" in refused.text
    assert path.read_text(encoding="utf-8") == before


def test_an_unknown_kind_is_answered_with_the_known_ones(run: Run, project: Project) -> None:
    refused = run("--project", project.root, "new", "bulletin", "board")
    assert refused.code == 2
    assert "Kinds: newsletter, call, invitation, board-update." in refused.text
    assert not (project.campaigns / "board").exists()


def test_without_a_project_it_says_where_to_go(run: Run) -> None:
    refused = run("new", "newsletter", "news")
    assert refused.code == 2
    assert "there is no project here" in refused.text


def test_in_a_folder_of_a_project_it_names_the_project(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", "ours")
    monkeypatch.chdir(tmp_path / "ours" / "campaigns")
    refused = run("new", "newsletter", "news")
    assert refused.code == 2
    assert f"The project is {tmp_path / 'ours'}: go there" in refused.text


def test_a_folder_that_new_would_refuse_is_an_error_of_check(run: Run, tmp_path: Path) -> None:
    run("init", "ours")
    campaigns = tmp_path / "ours" / "campaigns"
    (campaigns / "first-newsletter").rename(campaigns / "My News")
    found = run("--project", "ours", "check", "My News", "--json").json["findings"]
    (named,) = [each for each in found if each["rule"] == "campaign-id"]
    assert (named["level"], named["where"]) == ("error", "campaigns/My News")
    assert "Small letters, digits" in named["mend"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.one_of(st.text(max_size=12), st.from_regex(r"[./\\a-zA-Z0-9 _-]{1,12}", fullmatch=True)))
def test_whatever_the_id_the_folder_stands_directly_under_campaigns_or_nowhere(project: Project, name: str) -> None:
    before = {path for path in project.root.parent.rglob("*") if project.campaigns not in path.parents}
    try:
        made = make_campaign(project, "newsletter", name, now=THURSDAY)
    except UsageError:
        pass
    else:
        assert made == [project.campaigns / name / "campaign.md"]
        assert read_campaign(project, name).campaign_id == name
    assert {path for path in project.root.parent.rglob("*") if project.campaigns not in path.parents} == before


@pytest.mark.parametrize(
    ("written", "meant"),
    [("call-for-proposals", "call"), ("newsleter", "newsletter"), ("board", "board-update"), ("invite", "invitation")],
)
def test_a_kind_that_there_is_not_gets_the_one_that_was_meant(
    run: Run, tmp_path: Path, written: str, meant: str
) -> None:
    run("init", "ours")
    refused = run("--project", tmp_path / "ours", "new", written, "next")
    assert refused.code == 2
    assert f"there is no kind “{written}” Did you mean “{meant}”? Kinds: newsletter, call," in refused.text
