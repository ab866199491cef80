"""What variants are called where people look at them."""

import json
from pathlib import Path

import pytest

from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.variant_names import variant_names
from mlgroup_mail.model import Contact
from tests.content.projects import frozen, project_at

MEETING = """\
- id: meeting
  title: Meeting
  start: 2021-10-27 14:00 Europe/London
  end: 2021-10-27 15:30 Europe/London
"""
PARIS = Contact(address="a@example.org", timezone="Europe/Paris", country="FR", language="fr", themes=("ethics",))
LONDON = Contact(address="b@example.org", timezone="Europe/London", country="GB", language="en", themes=())
KOLKATA = Contact(address="c@example.org", timezone="Asia/Kolkata", country="IN", language="en", themes=())


def names(source: FrozenSource, *people: Contact) -> list[str]:
    fields = variant_fields(source)
    keys = {json.dumps(fields.key(person)): number for number, person in enumerate(people)}
    found = variant_names(source, keys)
    return [found[number] for number in range(len(people))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello.", [""]),
        ("{{ recipient.timezone }}", ["timezone Europe/Paris", "timezone Europe/London"]),
        ("{% if 'ethics' in recipient.themes %}x{% endif %}", ["themes with ethics", "themes without ethics"]),
        ("{{ recipient.themes | join }}", ["themes ethics", "themes none"]),
    ],
)
def test_they_are_told_by_what_readers_differ_in(tmp_path: Path, text: str, expected: list[str]) -> None:
    source = frozen(project_at(tmp_path), text)
    assert names(source, *(PARIS, LONDON)[: len(expected)]) == expected


def test_readers_clocks_are_told_by_their_distance_from_utc(tmp_path: Path) -> None:
    project = project_at(tmp_path)
    (project.campaigns / "events.yaml").write_text(MEETING, encoding="utf-8")
    source = frozen(project, "```event\nmeeting\n```")
    assert names(source, PARIS, KOLKATA, LONDON) == ["UTC+2", "UTC+5:30", "the organiser's time"]


def test_a_key_of_other_fields_is_still_shown(tmp_path: Path) -> None:
    """An older version may have told readers apart by something else."""
    assert variant_names(frozen(project_at(tmp_path)), {'["a", "b"]': 3}) == {3: "a, b"}


def test_translations_are_told_by_their_language_the_original_by_its_own(tmp_path: Path) -> None:
    project = project_at(tmp_path)
    original = frozen(project)
    (project.campaigns / "letter" / "campaign.fr.md").write_text('+++\nsubject = "Nouvelles"\n+++\nBonjour.', "utf-8")
    source = freeze(project, read_campaign(project, "letter"), "issue", original.figures)
    assert names(source, PARIS, LONDON) == ["fr", "en"]
