"""The calendar keeps wall times and zones as written, and names the line of a slip."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.calendar.events import EventStatus
from mlgroup_mail.content.calendar.events_file import event_from, read_events
from mlgroup_mail.content.calendar.wall_time import WallTime
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from tests.content.projects import project_at

WEBINAR = """\
- id: webinar
  title: Annual webinar
  start: 2021-11-19 13:00 Europe/Zurich
  end: 2021-11-19 17:00 Europe/Zurich
"""


def write(project: Project, text: str) -> None:
    (project.campaigns / "events.yaml").write_text(text, encoding="utf-8")


def test_an_event_keeps_its_wall_time_and_zone(project: Project) -> None:
    write(project, WEBINAR)
    event = read_events(project)["webinar"]
    assert isinstance(event.start, WallTime)
    assert str(event.start) == "2021-11-19 13:00 Europe/Zurich"
    assert event_from(event.as_written()) == event


def test_events_come_in_the_order_of_their_start_and_may_have_no_hour(project: Project) -> None:
    write(project, WEBINAR + "- {id: meeting, title: Meeting, start: 2021-10-27}\n")
    calendar = read_events(project)
    assert list(calendar) == ["meeting", "webinar"]
    assert calendar["meeting"].start == date(2021, 10, 27)


def test_an_event_may_say_more_than_its_time(project: Project) -> None:
    write(
        project,
        WEBINAR
        + """\
  place: Online
  link: https://example.org/webinar
  joining_link: https://meet.example.org/j/1
  status: tentative
  description: |
    Talks first,
    then questions.
""",
    )
    event = read_events(project)["webinar"]
    assert event.status is EventStatus.TENTATIVE
    assert event.description == "Talks first,\nthen questions."
    assert event_from(event.as_written()) == event
    assert event.for_everybody().joining_link == ""
    assert event.for_everybody().link == event.link


def test_an_event_has_words_in_other_languages_and_its_own_for_the_rest(project: Project) -> None:
    write(
        project,
        WEBINAR + "  place: Geneva\n  title_fr: Webinaire annuel\n  place_fr: Genève\n  title_pt-BR: Seminário\n",
    )
    event = read_events(project)["webinar"]
    assert event_from(event.as_written()) == event

    def said(language: str) -> tuple[str, str]:
        return event.in_language(language).title, event.in_language(language).place

    assert said("fr") == said("fr-CA") == ("Webinaire annuel", "Genève")
    assert said("pt") == ("Seminário", "Geneva")
    assert said("en") == said("zh") == ("Annual webinar", "Geneva")


def test_an_hour_alone_is_the_end_on_the_same_day_and_in_the_same_zone(project: Project) -> None:
    write(project, WEBINAR.replace("2021-11-19 17:00 Europe/Zurich", "17:00"))
    assert str(read_events(project)["webinar"].end) == "2021-11-19 17:00 Europe/Zurich"
    write(project, WEBINAR.replace("13:00", "08:00").replace("2021-11-19 17:00 Europe/Zurich", "9:30"))
    assert str(read_events(project)["webinar"].end) == "2021-11-19 09:30 Europe/Zurich"


def test_whole_days_end_on_the_last_one(project: Project) -> None:
    write(project, "- {id: workshop, title: Workshop, start: 2021-11-17, end: 2021-11-19}\n")
    event = read_events(project)["workshop"]
    assert event.days == (date(2021, 11, 17), date(2021, 11, 19))
    assert event.hours is None


def test_an_end_in_another_zone_is_told_on_the_organiser_s_clock(project: Project) -> None:
    write(project, WEBINAR.replace("17:00 Europe/Zurich", "23:30 Europe/London"))
    event = read_events(project)["webinar"]
    assert event.days == (date(2021, 11, 19), date(2021, 11, 20))


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "[]\n"])
def test_a_project_may_have_no_events(project: Project, text: str | None) -> None:
    if text is not None:
        write(project, text)
    assert len(read_events(project)) == 0


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (WEBINAR + WEBINAR, "two events", 5),
        (WEBINAR + "  title_french: W\n", "“french” is not a language tag", 5),
        (WEBINAR + "  place_pt_BR: W\n", "“pt_BR” is not a language tag", 5),
        (WEBINAR + "  title_pt-br: W\n", "a language in another form", 5),
        (WEBINAR + '  title_fr: "a\\nb"\n', "“title_fr” must stand on one line", 5),
        (WEBINAR + "  title_fr: A\n  title_fr: B\n", "“title_fr” stands twice", 6),
        (WEBINAR + "  titel_fr: W\n", "titel_fr", 5),
        (WEBINAR + "  title_fr: [W]\n", "one text, not a list", 5),
        (WEBINAR.replace("17:00", "12:00") + "  title_fr: W\n", "ends before it starts", 4),
        (WEBINAR.replace("17:00", "12:00"), "ends before it starts", 4),
        (WEBINAR.replace("17:00 Europe/Zurich", "11:30 Europe/London"), "ends before it starts", 4),
        (WEBINAR.replace("17:00", "13:00"), "ends when it starts", 4),
        (WEBINAR.replace("2021-11-19 17:00 Europe/Zurich", "12:00"), "ends before it starts", 4),
        (WEBINAR.replace("2021-11-19 17:00 Europe/Zurich", "2021-11-20"), "an hour both, or none", 4),
        (WEBINAR.replace("2021-11-19 17:00 Europe/Zurich", "an hour"), "not a date", 4),
        ("- {id: a, title: A, start: 2021-11-19,\n   end: '15:30'}\n", "an hour at its end", 2),
        (WEBINAR.replace(" Europe/Zurich", "", 1), "no time zone", 3),
        (WEBINAR.replace("2021-11-19 13:00", "0001-01-01 00:00"), "years from 1970", 3),
        (WEBINAR.replace("2021-11-19 17:00 Europe/Zurich", "9999-12-31 23:59 -12:00"), "years from 1970", 4),
        ("- {id: a, title: A, start: 9999-12-31}\n", "years from 1970", 1),
        (WEBINAR.replace("Europe/Zurich", "localtime", 1), "not an IANA time zone", 3),
        (WEBINAR.replace("2021-11-19 13:00 Europe/Zurich", "2021-10-31 02:30 Europe/Zurich"), "happens twice", 3),
        (WEBINAR.replace("title", "titel"), "“titel” is not known", 2),
        (WEBINAR.replace("  title: Annual webinar\n", ""), "“title” is missing", 1),
        (WEBINAR + "  colour: red\n", "not known here", 5),
        (WEBINAR + "  link: intranet/page\n", "web address", 5),
        (WEBINAR + "  joining_link: javascript:alert(1)\n", "web address", 5),
        (WEBINAR + "  joining_link: 'https://[::1'\n", "web address", 5),
        (WEBINAR + "  link: https://example.org/a b\n", "web address", 5),
        (WEBINAR + "  status: perhaps\n", "one of confirmed, tentative or cancelled", 5),
        (WEBINAR.replace("Annual webinar", '"Annual\\nwebinar"'), "one line", 2),
        (WEBINAR.replace("Annual webinar", '"Annual\\u2028webinar"'), "one line", 2),
        (WEBINAR.replace("Annual webinar", '"\\ud800"'), "half a character", 2),
        (WEBINAR + "  title: Webinar\n", "stands twice", 5),
        (WEBINAR + "- id: [a]\n", "holds one text", 5),
        (WEBINAR + "- meeting\n", "no keys", 5),
        (WEBINAR + "- id: 'x\n", "not valid YAML", 6),
        ("id: webinar\n", "not a list", None),
    ],
)
def test_a_slip_in_the_calendar_is_named_with_its_line(
    project: Project, text: str, message: str, line: int | None
) -> None:
    write(project, text)
    with pytest.raises(CampaignError, match=message) as refused:
        read_events(project)
    expected = "campaigns/events.yaml" + (f", line {line}" if line else "")
    assert refused.value.problem.where == expected


@given(st.text(max_size=80) | st.text(alphabet="- :{}[]&*!|>'\"\n#?,%@`idtlesar0123456789", max_size=60))
def test_whatever_the_file_holds_is_a_calendar_or_an_error_with_its_place(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = project_at(Path(folder))
        with (project.campaigns / "events.yaml").open("w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        try:
            read_events(project)
        except CampaignError as error:
            assert error.problem.where.startswith("campaigns/events.yaml")  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "line", "message", "mend"),
    [
        ("- id: a\n  title: Talk: what next\n", 2, "a second “:” on this line", "in quotes"),
        ("- id: a\n   title: A\n", 2, "further in than its event", "in quotes"),
        ("- id: a\n title: A\n", 2, "not as far in as the keys above", "two blanks further"),
        ("- id: a\n  title\n  start: 2021-11-19\n", 3, "a key has no “:”", "Each event begins"),
        ("- id: a\n\ttitle: A\n", 2, "a tab stands here", "Write blanks"),
        ("- id: a\n  title: 'A\n", 3, "has none at its end", "Write the quote"),
        ("- id: a\n  title: *A\n", 2, "begins with “*”", "in quotes"),
        ("- id: a\n  title: @A\n", 2, "means something else here", "in quotes"),
        ('- id: a\n  title: "C:\\d"\n', 2, "this is none", "single quotes"),
        ("- {id: a, title: A\n", 2, "a bracket is not closed", "Close it"),
        ("- id: a\n  title: A\x07\n", None, "a control character", "anew"),
    ],
)
def test_what_is_no_yaml_is_told_in_our_words(
    project: Project, text: str, line: int | None, message: str, mend: str
) -> None:
    write(project, text)
    with pytest.raises(CampaignError) as refused:
        read_events(project)
    problem = refused.value.problem
    assert problem.message.startswith("this is not valid YAML: ")
    assert message in problem.message
    assert problem.where == "campaigns/events.yaml" + (f", line {line}" if line else "")
    assert mend in problem.mend


def test_every_slip_of_every_event_is_told_at_once(project: Project) -> None:
    write(project, WEBINAR.replace("title", "titel") + "- id: Two\n  start: noon\n" + WEBINAR)
    with pytest.raises(CampaignError) as refused:
        read_events(project)
    assert [problem.where.rpartition(" ")[2] for problem in refused.value.problems] == ["2", "5", "5", "6"]
