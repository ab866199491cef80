"""Invitations through the command line: their calendars, their readers' clocks, and what happens when a time moves."""

import csv
import email
import email.policy
import sqlite3
from email.message import EmailMessage
from pathlib import Path

import pytest
import vobject

from tests.acceptance.projects import small_project
from tests.cli.conftest import Result, Run

EVENTS = """\
- id: all-group
  title: All-group meeting
  start: 2021-11-10 14:00 Europe/London
  end: 15:30
  place: Online
- id: webinar
  title: Annual webinar
  start: 2021-11-19 13:00 Europe/Zurich
"""

PEOPLE = [
    ("person1@office.example", "Europe/London", ""),
    ("person2@office.example", "", "JP"),
    ("person3@office.example", "Pacific/Auckland", ""),
    ("person4@office.example", "", "US"),
    ("person5@office.example", "Asia/Seoul", ""),
]

CONTACTS = """\
[[source]]
name = "members"
path = "members.csv"
columns = { email = "Email", timezone = "Time zone", country = "Country" }
defaults = { status = "member" }

[segment.members]
status = "member"
"""

CAMPAIGN = """\
+++
kind = "newsletter"
topic = "newsletter"
subject = "Come"
sender = "newsletter"
audience = "members"
event = "all-group"

[[mailing]]
name = "issue"
send_at = "2021-11-0%d 09:00 Europe/London"
stop_at = "2021-11-09 09:00 Europe/London"
+++
We meet: {{ campaign.event | when }}.
{%% if campaign.event | your_time %%}Your time: {{ campaign.event | your_time }}.{%% endif %%}
"""


def write_campaign(root: Path, name: str, day: int) -> None:
    folder = root / "campaigns" / name
    folder.mkdir()
    (folder / "campaign.md").write_text(CAMPAIGN % day, encoding="utf-8")


def change_events(old: str, new: str) -> None:
    path = Path("campaigns/events.yaml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def group(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five people on four clocks, and two mailings about the same meeting."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-05T10:00:00+00:00")
    root = small_project(tmp_path)
    (root / "campaigns" / "events.yaml").write_text(EVENTS, encoding="utf-8")
    (root / "contacts" / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Email", "Time zone", "Country"), *PEOPLE])
    for number, name in enumerate(("first", "second", "third"), start=3):
        write_campaign(root, name, number)
    assert run("contacts", "pull").code == 0
    return root


def approve(run: Run, name: str) -> Result:
    return run("approve", f"{name}/issue", "--by", "the editor")


def send(run: Run, name: str) -> dict[str, EmailMessage]:
    """Each recipient's message."""
    assert run("send", f"{name}/issue", "--live").code == 0
    found = {}
    for path in Path("var/outbox").rglob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        if name in str(path):
            found[str(message["To"])] = message
    return found


def calendar(message: EmailMessage) -> vobject.base.Component:
    [part] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert part.get_filename() == "invitation.ics"
    return vobject.readOne(part.get_content())


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def sequence(message: EmailMessage) -> int:
    return int(calendar(message).vevent.sequence.value)


def test_everybody_gets_the_calendar_and_those_elsewhere_their_own_time(run: Run, group: Path) -> None:
    assert approve(run, "first").code == 0
    messages = send(run, "first")
    assert len(messages) == 5
    for message in messages.values():
        assert "We meet: Wednesday, 10 November 2021, 14:00–15:30 (London, UTC)" in text(message)
        assert calendar(message).method.value == "PUBLISH"
    times = [text(messages[address]).partition("Your time: ")[2] for address, *_ in PEOPLE]
    assert times[0] == times[3] == ""
    assert times[1].startswith("Wednesday 10 November, 23:00 – Thursday 11 November, 00:30.")
    assert times[2].startswith("Thursday 11 November, 03:00–04:30.")
    assert times[1] == times[4]


def test_the_sequence_stays_while_the_event_stays(run: Run, group: Path) -> None:
    assert approve(run, "first").code == 0
    assert approve(run, "second").code == 0
    assert {sequence(message) for message in send(run, "first").values()} == {0}
    assert {sequence(message) for message in send(run, "second").values()} == {0}


def test_the_sequence_goes_up_with_each_change_that_was_announced(run: Run, group: Path) -> None:
    approve(run, "first")
    first = send(run, "first")
    change_events("14:00 Europe/London\n  end: 15:30", "15:00 Europe/London\n  end: 16:30")
    approve(run, "second")
    second = send(run, "second")
    change_events("place: Online", "place: Geneva\n  status: cancelled")
    approve(run, "third")
    third = send(run, "third")
    assert [{sequence(message) for message in each.values()} for each in (first, second, third)] == [{0}, {1}, {2}]
    uids = {calendar(message).vevent.uid.value for each in (first, second, third) for message in each.values()}
    assert uids == {"all-group@ml-group.example.org"}
    assert calendar(third["person1@office.example"]).vevent.status.value == "CANCELLED"


def test_a_new_description_counts_too_as_calendars_show_it(run: Run, group: Path) -> None:
    """Some calendars take no second form of an event under the same number."""
    approve(run, "first")
    change_events("place: Online", "place: Online\n  description: We look back on the year.")
    approve(run, "second")
    assert {sequence(message) for message in send(run, "second").values()} == {1}


def test_an_approval_holds_while_another_mailing_with_the_same_event_is_approved(run: Run, group: Path) -> None:
    approve(run, "first")
    approve(run, "second")
    for name in ("first", "second"):
        assert run("status", f"{name}/issue", "--json").json["state"] == "approved"
        assert run("send", f"{name}/issue").code == 0


def test_an_approval_is_void_once_the_event_has_changed_and_the_next_one_counts_on(run: Run, group: Path) -> None:
    approve(run, "first")
    approve(run, "second")
    change_events("15:30", "16:00")
    refused = run("send", "second/issue", "--live")
    assert refused.code != 0
    assert "the event all-group changed" in refused.text
    approve(run, "second")
    assert {sequence(message) for message in send(run, "second").values()} == {1}
    # The first was never sent: approved again with the same form, it says the same as the second.
    approve(run, "first")
    assert {sequence(message) for message in send(run, "first").values()} == {1}


def test_an_event_that_nobody_was_told_of_changes_for_nothing(run: Run, group: Path) -> None:
    """Approved again before anything went out: no calendar has seen the old time."""
    approve(run, "first")
    change_events("15:30", "16:00")
    approve(run, "first")
    assert {sequence(message) for message in send(run, "first").values()} == {0}


def spoil_what_was_said(name: str, old: str, new: str) -> None:
    """As if an earlier version had approved an event that this one cannot read."""
    with sqlite3.connect("var/mlgroup.db") as connection:
        changed = connection.execute(
            "UPDATE mailing SET source = replace(source, ?, ?) WHERE campaign = ?", (old, new, name)
        )
        assert changed.rowcount == 1


def test_an_old_approval_whose_event_cannot_be_read_any_more_is_in_nobody_s_way(
    run: Run, group: Path, caplog: pytest.LogCaptureFixture
) -> None:
    approve(run, "first")
    send(run, "first")
    change_events("15:30", "16:00")
    approve(run, "second")
    send(run, "second")
    spoil_what_was_said("second", "2021-11-10 16:00 Europe/London", "at four")
    assert run("check", "third").code == 0
    assert approve(run, "third").code == 0
    assert run("status").code == 0
    # Calendars have seen the second's number: the next is higher, whatever the second said.
    assert {sequence(message) for message in send(run, "third").values()} == {2}
    told = {record.getMessage() for record in caplog.records}
    assert told == {"second/issue: what it said of the event all-group cannot be read any more, and is left out"}


def test_check_tells_of_an_event_that_was_announced_otherwise(run: Run, group: Path) -> None:
    approve(run, "first")
    send(run, "first")
    assert not [each for each in findings(run, "second") if each["rule"] == "event-changed"]
    change_events("14:00 Europe/London\n  end: 15:30\n  place: Online", "15:00 Europe/London\n  place: Geneva")
    [found] = [each for each in findings(run, "second") if each["rule"] == "event-changed"]
    assert found["level"] == "warning"
    assert found["where"] == "campaigns/second/campaign.md, line 7"
    assert "another time and place in first/issue on 2021-11-05" in found["message"]
    assert "2021-11-10 14:00 Europe/London to 2021-11-10 15:30 Europe/London; Online" in found["message"]
    # Once the second has said so, the third need not.
    approve(run, "second")
    assert not [each for each in findings(run, "third") if each["rule"] == "event-changed"]


def changed(run: Run, name: str) -> list[str]:
    return [each["message"] for each in findings(run, name) if each["rule"] == "event-changed"]


def test_what_went_out_last_is_what_readers_remember_whatever_its_date_says(run: Run, group: Path) -> None:
    approve(run, "third")
    send(run, "third")
    change_events("place: Online", "place: Geneva")
    approve(run, "first")
    send(run, "first")
    assert changed(run, "second") == [], "the first went last, and told of Geneva"
    change_events("place: Geneva", "place: Berne")
    [message] = changed(run, "second")
    assert "another place in first/issue on 2021-11-05 (Geneva)" in message


def test_a_mailing_that_was_cancelled_counts_once_somebody_may_have_it(run: Run, group: Path) -> None:
    approve(run, "first")
    assert run("plan", "first/issue").code == 0
    assert run("cancel", "first/issue").code == 0
    change_events("place: Online", "place: Geneva")
    assert changed(run, "second") == []


def findings(run: Run, name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = run("check", name, "--json").json["findings"]
    return found


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("Europe/London\n  end: 15:30", "Europe/London\n  end: 13:30", "events.yaml, line 4", "ends before it starts"),
        ("14:00 Europe/London", "14:00 Europe/Londn", "events.yaml, line 3", "not an IANA time zone"),
        ("2021-11-10 14:00", "2021-10-31 01:30", "events.yaml, line 3", "happens twice"),
        ("id: all-group", "id: all-groups", "first/campaign.md, line 7", "there is no event “all-group”"),
        ("title: All-group meeting", 'title: "All\\u2028group"', "events.yaml, line 2", "must stand on one line"),
    ],
)
def test_a_slip_in_the_calendar_is_an_error_with_file_line_and_mend(
    run: Run, group: Path, old: str, new: str, where: str, message: str
) -> None:
    change_events(old, new)
    result = run("check", "first", "--json")
    assert result.code == 1
    [found] = [each for each in result.json["findings"] if each["level"] == "error"]
    assert found["where"].endswith(where)
    assert message in found["message"]
    assert approve(run, "first").code == 1


def test_a_preview_has_the_calendar_beside_it(run: Run, group: Path) -> None:
    assert run("preview", "first", "--as", "person2@office.example").code == 0
    (calendar,) = Path("var/preview/first").glob("issue.reader-*.ics")
    found = calendar.read_bytes()
    assert vobject.readOne(found.decode()).vevent.summary.value == "All-group meeting"
    assert found.count(b"\r\n") == found.count(b"\n")
    assert "Your time: Wednesday 10 November" in " ".join(calendar.with_suffix(".txt").read_text().split())
