"""Every example on the page about writing can be written like that."""

import re
from pathlib import Path

import pytest

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.writing.blocks.kinds import MEMBERS_ONLY, BlockKind
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.shipped import shipped
from tests.content.pictures.drawing import drawn
from tests.content.projects import frozen, project_at
from tests.docs.pages import ROOT, blocks

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
