"""What a coordinator writes is read, and what is wrong is named with file, line and mend."""

from datetime import UTC, datetime, timedelta

import pytest

from mlgroup_mail.content.campaigns.campaign import campaign_ids, read_campaign
from mlgroup_mail.errors import CampaignError, UsageError
from mlgroup_mail.settings.project import Project
from tests.content.projects import FRONT, write_campaign

REMINDER = '\n[[mailing]]\nname = "reminder-1"\nsend_at = "2021-11-09 09:00 Europe/London"\n'


def test_a_mailing_takes_from_the_campaign_what_it_does_not_say_itself(project: Project) -> None:
    write_campaign(project, "Hello.", front=FRONT + REMINDER + 'subject = "Again"\ntext = "again.md"\n')
    (project.campaigns / "letter" / "again.md").write_text("Once more.", encoding="utf-8")
    issue, reminder = read_campaign(project, "letter").mailings

    assert (issue.original.subject, issue.original.text, issue.original.text_line) == ("News", "Hello.", 19)
    assert (reminder.original.subject, reminder.original.text, reminder.original.text_line) == (
        "Again",
        "Once more.",
        1,
    )
    assert (reminder.original.preheader, reminder.audience) == ("What is new", "members")


def test_a_mailing_stops_48_hours_after_its_time_unless_told(project: Project) -> None:
    write_campaign(project, front=FRONT + 'stop_at = "2021-11-02 18:00 Europe/London"\n' + REMINDER)
    issue, reminder = read_campaign(project, "letter").mailings

    assert issue.send_at == datetime(2021, 11, 2, 9, tzinfo=UTC)
    assert str(issue.send_wall) == "2021-11-02 09:00 Europe/London"
    assert issue.stop_at == datetime(2021, 11, 2, 18, tzinfo=UTC)
    assert reminder.stop_at - reminder.send_at == timedelta(hours=48)


def test_an_audience_can_be_a_rule_in_place(project: Project) -> None:
    write_campaign(project, front=FRONT.replace('"members"', '{ status = ["lead"], country = "PT" }'))
    assert read_campaign(project, "letter").mailing("issue").audience == {"status": ["lead"], "country": "PT"}


def test_days_of_values_are_known_to_the_text(project: Project) -> None:
    write_campaign(project, front=FRONT.replace("[[mailing]]", "[values]\ndeadline = 2022-01-19\n\n[[mailing]]"))
    assert read_campaign(project, "letter").values == {"deadline": "2022-01-19"}


def test_campaigns_are_the_folders_with_a_campaign_file(project: Project) -> None:
    write_campaign(project, name="b")
    write_campaign(project, name="a")
    (project.campaigns / "pictures").mkdir()
    assert campaign_ids(project) == ("a", "b")


@pytest.mark.parametrize(
    ("old", "new", "message", "where", "mend"),
    [
        ('kind = "newsletter"', 'kind = "newsleter"', "no kind “newsleter”", "line 2", "Did you mean “newsletter”?"),
        ('topic = "newsletter"', 'topic = "news"', "no topic “news”", "line 3", "Known topics: newsletter"),
        ('sender = "newsletter"', 'sender = "boss"', "no sender “boss”", "line 6", "[sender.boss]"),
        ('audience = "members"', 'audience = "members"\ntemplate = "fancy"', "no template “fancy”", "line 8", "Known"),
        ('preheader = "', 'preheadr = "', "“preheadr” is not known", "line 5", "Did you mean “preheader”?"),
        ('sender = "newsletter"\n', "", "“sender” is missing", "campaign.md", "Add a line: sender = ..."),
        ('subject = "News"', 'subject = "News', "not valid TOML", "line 4", "quotes"),
        ("09:00 Europe/London", "09:00", "no time zone", "line 11", ""),
        ('"issue"', '"an issue"', "“name” is made of the letters", "line 10", ""),
        ('subject = "News"', 'subject = "News\\nBcc: x"', "one line", "line 4", ""),
        ('audience = "members"', 'audience = "members"\nlanguage = "klingon"', "not a language tag", "line 8", ""),
        ("[[mailing]]", "[values]\nlinks = 1\n\n[[mailing]]", "“links” is taken", "line 10", "taken are"),
        (
            'send_at = "2021-11-02 09:00 Europe/London"\n',
            'send_at = "2021-11-02 09:00 UTC"\n[[mailing]]\nname = "issue"\nsend_at = "2021-11-03 09:00 UTC"\n',
            "two mailings are called “issue”",
            "line 13",
            "a name of its own",
        ),
        ('name = "issue"', 'name = "issue"\ntext = "other.md"', "no text “other.md”", "line 11", "beside campaign.md"),
        ('name = "issue"', 'name = "issue"\ntext = "../x.md"', "outside the campaign’s folder", "line 11", "beside"),
    ],
)
def test_a_slip_is_named_with_its_line_and_how_to_mend_it(
    project: Project, old: str, new: str, message: str, where: str, mend: str
) -> None:
    assert old in FRONT
    write_campaign(project, front=FRONT.replace(old, new, 1))
    with pytest.raises(CampaignError) as refused:
        read_campaign(project, "letter")
    problem = refused.value.problem
    assert message in problem.message.replace("'", "’")
    assert problem.where.startswith("campaigns/letter/campaign.md")
    assert where in problem.where
    assert mend in problem.mend


@pytest.mark.parametrize(
    ("content", "message"),
    [("Dear all,", "no front matter"), ("+++\nkind = 1\n", "does not end"), (f"+++\n{FRONT}+++\n \n", "no text")],
)
def test_a_file_that_is_no_campaign_says_so(project: Project, content: str, message: str) -> None:
    write_campaign(project)
    (project.campaigns / "letter" / "campaign.md").write_text(content, encoding="utf-8")
    with pytest.raises(CampaignError, match=message):
        read_campaign(project, "letter")


def test_an_unknown_campaign_or_mailing_lists_the_known_ones(project: Project) -> None:
    write_campaign(project)
    with pytest.raises(UsageError, match="Did you mean “letter”"):
        read_campaign(project, "leter")
    with pytest.raises(UsageError, match="Known mailings: issue"):
        read_campaign(project, "letter").mailing("reminder")
