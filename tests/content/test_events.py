"""The calendar keeps wall times and zones as written, and names the line of a slip."""

from datetime import date

import pytest

from mlgroup_mail.content.events import event_from, read_events
from mlgroup_mail.content.wall_time import WallTime
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project

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


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "[]\n"])
def test_a_project_may_have_no_events(project: Project, text: str | None) -> None:
    if text is not None:
        write(project, text)
    assert len(read_events(project)) == 0


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (WEBINAR + WEBINAR, "two events", 5),
        (WEBINAR.replace("17:00", "12:00"), "ends before it starts", 1),
        (WEBINAR.replace(" Europe/Zurich", "", 1), "no time zone", 1),
        (WEBINAR.replace("title", "titel"), "missing", 1),
        (WEBINAR + "  link: intranet/page\n", "web address", 1),
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
