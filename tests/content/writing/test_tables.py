"""Tables: words stay whole where there is room, and each column stands on the side it is meant to."""

import re

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.writing.markdown import escape_markdown
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Words, Writing, flow_of
from mlgroup_mail.settings.project import Project
from tests.content.projects import FRONT
from tests.content.writing.blocks.mails import Read, furnished, mail, read


def made(markdown: str, *, right_to_left: bool = False) -> Words:
    lines = tuple(markdown.split("\n"))
    text = TextLines(place="campaign.md", lines=lines, numbers=tuple(range(1, len(lines) + 1)))
    return flow_of(Writing(right_to_left=right_to_left).parsed(text)[0])


def breaking(project: Project, markdown: str) -> list[str]:
    """The words that may break anywhere."""
    return [span.text or "" for span in read(project, markdown).all("span") if span.get("class") == "long"]


LONG = "Rindfleischetikettierungsüberwachung"


@pytest.mark.parametrize(
    ("table", "long"),
    [
        ("| Country | Organisation |\n|---|---|\n| Portugal | National Board of Statistics |", []),
        (f"| Country | Word |\n|---|---|\n| Portugal | {LONG} |", []),
        (f"| Country | Members | Since | Word |\n|---|---|---|---|\n| Portugal | 12 | 2019 | *{LONG}* |", [LONG]),
        (f"| a | b |\n|---|---|\n| {LONG} | see {LONG} now |", [LONG, LONG]),
        (f"| a | b |\n|---|---|\n| x | https://a.example/{'y' * 80} |", [f"https://a.example/{'y' * 80}"]),
        (f"| Link |\n|---|\n| [{'y' * 80}](https://a.example) |", ["y" * 80]),
    ],
)
def test_only_words_that_leave_other_columns_no_room_may_break(project: Project, table: str, long: list[str]) -> None:
    assert breaking(project, table) == long


def test_of_many_columns_the_longest_words_give_way_first(project: Project) -> None:
    words = ["Portugal", "Kontaktperson", "Arbeitsgemeinschaft", "2019", "Statistikbehörde", "Zahl"]
    row = " | ".join(words)
    found = breaking(project, f"| {row} |\n|{'---|' * len(words)}\n| {row} |")
    assert set(found) == {"Kontaktperson", "Arbeitsgemeinschaft", "Statistikbehörde"}


@given(st.lists(st.text("abcö .,-<&*|", max_size=60).map(str.split).filter(bool), min_size=1, max_size=8))
def test_no_word_is_lost_or_changed(cells: list[list[str]]) -> None:
    row = " | ".join(escape_markdown(" ".join(words)) for words in cells)
    found = made(f"| {row} |\n|{'---|' * len(cells)}\n| {row} |")
    page = html5lib.parseFragment(found.html, treebuilder="etree", namespaceHTMLElements=False)
    assert ["".join(cell.itertext()).split() for cell in page.iter("th")] == cells


SIDES = "| a | b | c | d |\n|:--|--:|:-:|---|\n| long words | 12 | x | y |"


def sides(html: str) -> list[str]:
    return re.findall(r'<td style="text-align:(\w+)"', html)


def test_in_arabic_a_column_begins_on_the_right() -> None:
    assert sides(made(SIDES).html) == ["left", "right", "center"]
    assert sides(made(SIDES, right_to_left=True).html) == ["right", "left", "center"]
    assert made(SIDES, right_to_left=True).text == made(SIDES).text


def test_the_language_of_the_text_decides(project: Project) -> None:
    front = FRONT.replace("\n\n", '\nlanguage = "ar"\n\n', 1)
    found = Read(mail(furnished(project), "| متى | ماذا |\n|:--|--:|\n| فبراير | 12 |", front=front))
    assert ["right" in (cell.get("style") or "") for cell in found.all("th")] == [True, False]
