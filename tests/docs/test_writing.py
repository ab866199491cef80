"""Every example on the page about writing can be written like that, and what is said of blocks is what they have."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from mlgroup_mail.contacts.segment_rules import SegmentRule
from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.content.calendar.events_file import read_events
from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.pictures.placing import ImageSource
from mlgroup_mail.content.writing.blocks import reading
from mlgroup_mail.content.writing.blocks.kinds import MEMBERS_ONLY, BlockKind
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.settings.project import Project
from mlgroup_mail.shipped import shipped
from tests.content.pictures.drawing import drawn
from tests.content.projects import FRONT, frozen, project_at, write_campaign
from tests.content.writing.blocks.mails import mail
from tests.docs.pages import ROOT, blocks, section

PAGE = (ROOT / "docs" / "writing.md").read_text(encoding="utf-8")
EXAMPLES = [block.text for block in blocks(PAGE) if block.language == "markdown"]


@pytest.mark.parametrize("example", EXAMPLES, ids=[" ".join(each.split())[:30] for each in EXAMPLES])
def test_every_example_compiles(tmp_path: Path, example: str) -> None:
    project = project_at(tmp_path)
    calendar = shipped("campaigns").joinpath("events.yaml").read_text(encoding="utf-8")
    (project.campaigns / "events.yaml").write_text(calendar, encoding="utf-8")
    folder = project.campaigns / "letter"
    folder.mkdir()
    (folder / "chart.png").write_bytes(drawn(width=900))
    (folder / "ana.jpg").write_bytes(drawn("JPEG", width=240, height=240))
    source = frozen(project, example)
    fields = variant_fields(source)
    reader = Contact(address="ana.silva@office.example", timezone="Asia/Tokyo", themes=("ethics",))
    assert compile_message(source, fields.shared(fields.key(reader))).text


def test_every_block_has_an_example() -> None:
    shown = {word for example in EXAMPLES for word in re.findall(r"^`{3,}(\w+)", example, re.MULTILINE)}
    assert shown == {*BlockKind, MEMBERS_ONLY}


def rows(page: str, title: str) -> dict[BlockKind, list[str]]:
    """The cells of the table of blocks under a heading, by the kind that stands first in the row."""
    lines = [line.strip("|").split(" | ") for line in section(page, title).splitlines() if line.startswith("| `")]
    return {BlockKind(first.strip(" `")): cells for first, *cells in lines}


KEYS = rows(PAGE, "Blocks")
WRITTEN = {
    BlockKind.SPEAKER: "",
    BlockKind.FIGURE: "",
    BlockKind.NOTE: "Words.",
}
VALUES = {"image": "chart.png", "photo": "ana.png", "link": "https://a.example"}


def compiles(project: Project, kind: BlockKind, keys: list[str], below: str) -> str:
    """The error that a block with these keys gives; "" for none."""
    lines = [f"{key}: {VALUES.get(key, 'x')}" for key in keys]
    try:
        mail(project, "\n".join([f"![x](chart.png) ![x](ana.png)\n\n```{kind}", *lines, "", below, "```"]))
    except CampaignError as error:
        return str(error)
    return ""


def test_the_table_of_blocks_has_the_keys_that_there_are(tmp_path: Path) -> None:
    assert list(KEYS) == list(BlockKind)
    keyed = {kind: re.findall(r"`(\w+)`", cells[0]) for kind, cells in KEYS.items()}
    assert {kind for kind, keys in keyed.items() if keys} == {*WRITTEN, BlockKind.AGENDA}
    project = project_at(tmp_path)
    for kind, below in WRITTEN.items():
        required = re.findall(r"\*\*`(\w+)`\*\*", KEYS[kind][0])
        assert compiles(project, kind, keyed[kind], below) == ""
        assert compiles(project, kind, required, below) == ""
        for key in required:
            without = [each for each in required if each != key]
            assert f"has no {key}" in compiles(project, kind, without, below) or "is empty" in compiles(
                project, kind, without, below
            )
        assert f"Its keys are {', '.join(keyed[kind])};" in compiles(project, kind, [f"{keyed[kind][0]}x"], below)
    assert "event: webinar-2021" in section(PAGE, "Blocks").partition("### agenda")[2]


def test_the_table_of_block_templates_has_what_they_find() -> None:
    page = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    table = rows(page, "One block of a text")
    readers: dict[BlockKind, Callable[..., Any]] = {**reading._READERS, **reading._READERS_OF_DATES}
    assert list(table) == list(BlockKind)
    for kind, reader in readers.items():
        assert set(re.findall(r"`(\w+)`", table[kind][0])) == parts_of(get_type_hints(reader)["return"])
    beneath = section(page, "One block of a text").partition("An event has")[2]
    event, _, picture = beneath.partition("A picture has")
    not_for_templates = {"translations", "reader_offsets"}
    filters = {"when", "your_time"}
    assert set(re.findall(r"`(\w+)`", event)) - filters == {each.name for each in fields(Event)} - not_for_templates
    assert set(re.findall(r"`(\w+)`", picture.partition(".")[0])) == {each.name for each in fields(ImageSource)}


def parts_of(block: Any) -> set[str]:
    """The names of what a block has, and of what each of its several parts has."""
    found = set()
    for name, hint in get_type_hints(block).items():
        found.add(name)
        if getattr(hint, "__origin__", None) is tuple:
            part = get_args(hint)[0]
            found |= {each.name for each in fields(part)} if is_dataclass(part) and part is not Event else set()
    return found


def test_the_calendar_shown_can_be_written_so(tmp_path: Path) -> None:
    (shown,) = [block.text for block in blocks(PAGE) if block.language == "yaml"]
    project = project_at(tmp_path)
    (project.campaigns / "events.yaml").write_text(shown, encoding="utf-8")
    (event,) = read_events(project).values()
    assert event.in_language("fr-CA").title == "Réunion générale"


@pytest.mark.parametrize("title", ["A meeting that changes", "Reminders to those who have not answered"])
def test_a_further_mailing_can_be_written_so(tmp_path: Path, title: str) -> None:
    recipe = section(PAGE, title)
    (table,) = [block.text for block in blocks(recipe) if "[[mailing]]" in block.text]
    project = project_at(tmp_path)
    named = re.search(r'text = "(.+)"', table)
    assert named
    write_campaign(project, "First text.", front=f"{FRONT}\n{table}")
    (project.campaigns / "letter" / named[1]).write_text("Another text.", encoding="utf-8")
    mailing = read_campaign(project, "letter").mailings[-1]
    assert mailing.original.text.strip() == "Another text."
    assert mailing.original.subject in recipe
    if isinstance(mailing.audience, dict):
        assert SegmentRule.model_validate(mailing.audience).excluded
    for block in blocks(recipe):
        for rule in tomllib.loads(block.text).get("segment", {}).values():
            assert SegmentRule.model_validate(rule).address
