"""What goes out is what was approved: any change shows in the digest and in words; an editor's habits do not."""

import dataclasses
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.frozen import FrozenImage, FrozenSource
from mlgroup_mail.content.source_changes import differences
from mlgroup_mail.model.canary import Canary, CanaryPlace
from mlgroup_mail.model.message import Sender
from mlgroup_mail.settings.project import Project, read_project
from tests.content.projects import FRONT, frozen, write_template


def test_a_source_survives_json_with_its_digest(project: Project) -> None:
    source = frozen(project, "Grüße, {{ recipient.name }}")
    again = FrozenSource.from_json(source.to_json())
    assert again == source
    assert again.digest == source.digest


def test_line_ends_and_unicode_forms_void_no_approval(project: Project) -> None:
    source = frozen(project, "Grüße\n\nan alle")
    other = dataclasses.replace(source, text=unicodedata.normalize("NFD", source.text).replace("\n", "\r\n"))
    moved = dataclasses.replace(source, text_line=source.text_line + 1)
    assert source.digest == other.digest == moved.digest
    assert differences(source, other) == differences(source, moved) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": "Hello!"}, "the text changed"),
        ({"subject": "New"}, "the subject changed"),
        ({"sender": Sender(name="Other", address="other@example.org")}, "the sender changed"),
        ({"audience": {"status": ["lead"]}}, "the audience rule changed"),
        ({"figures": {"members": 259, "countries": 33}}, "the figure members changed"),
        ({"theme": {"accent": "#000000"}}, "the theme changed"),
        ({"opt_out_page": True}, "whether opting out has a page changed"),
        ({"templates": {}}, "the template newsletter.mjml.j2 is gone"),
        ({"events": {"webinar": {}}}, "the event webinar is new"),
        ({"values": {"deadline": "2022-01-19"}}, "the value deadline is new"),
        ({"language": "fr"}, "the language changed"),
        ({"topic": "calls"}, "the topic changed"),
    ],
)
def test_any_change_shows_in_the_digest_and_in_words(project: Project, change: dict[str, object], words: str) -> None:
    source = frozen(project)
    other = dataclasses.replace(source, **change)
    assert other.digest != source.digest
    assert words in differences(source, other)


def test_every_part_is_either_hashed_or_known_not_to_be(project: Project) -> None:
    """A field added later must not slip past the digest, nor past the words."""
    source = frozen(project)
    for field in dataclasses.fields(FrozenSource):
        value = getattr(source, field.name)
        new = {"new": _ENTRIES[field.name]} if field.name in _ENTRIES else _changed(value)
        other = dataclasses.replace(source, **{field.name: new})
        if field.name in ("text_file", "text_line", "places"):
            assert other.digest == source.digest
        else:
            assert other.digest != source.digest, field.name
            assert differences(source, other), field.name


_ENTRIES = {
    "translations": MailingText(
        language="fr", subject="s", title="t", preheader="p", text="x", text_file="f", text_line=1
    ),
    "images": FrozenImage(digest="d", media_type="image/png", width=1, height=1),
}


def _changed(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "x"
        case dict():
            return value | {"new": "x"}
        case tuple():
            return (*value, Canary(place=CanaryPlace.LAST, address="anna@office.example"))
        case Sender():
            return dataclasses.replace(value, reply_to="x@example.org")
        case _:
            return value + timedelta(seconds=1)


def test_files_that_decide_the_mail_are_frozen(project: Project, tmp_path: Path) -> None:
    before = frozen(project)
    assert {"newsletter.mjml.j2", "partials/layout.txt.j2", "partials/footer.mjml.j2"} <= before.templates.keys()

    write_template(project, "partials/footer.txt.j2", "Bye.")
    settings = tmp_path / "mlgroup.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("newsletter@", "news@"), encoding="utf-8")
    after = frozen(read_project(tmp_path), front=FRONT.replace("09:00", "10:00"))

    assert differences(before, after) == [
        "the sender changed",
        "the sending time changed",
        "the sending time as written changed",
        "the stop time changed",
        "the template partials/footer.txt.j2 changed",
    ]


def test_only_the_events_a_text_names_are_frozen(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- {id: a, title: A, start: 2021-11-19}\n- {id: b, title: B, start: 2021-11-20}\n", encoding="utf-8"
    )
    assert frozen(project, "{{ events.a.title }}").events.keys() == {"a"}
    assert frozen(project, "{% for id in events %}{{ id }}{% endfor %}").events.keys() == {"a", "b"}


def test_a_file_that_nothing_names_voids_no_approval(project: Project) -> None:
    """Editors and file managers leave copies and previews behind."""
    source = frozen(project)
    for name in ("campaign.md~", "Thumbs.db", "~$notes.docx", ".ipynb_checkpoints/x.txt"):
        path = project.campaigns / "letter" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert frozen(project).digest == source.digest
