"""Prose in a mail: tables that a telephone can show, pictures with words, values that are text."""

import re

import pytest

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from tests.content.projects import FRONT, frozen
from tests.content.writing.blocks.mails import FIRST_LINE, Read, furnished, mail, read

TABLE = "| Office | Members |\n|:--|--:|\n| INE | 12 |\n| *CBS* & co | [31](https://a.example/31) |"


def test_before_each_cell_stands_the_name_of_its_column_which_only_narrow_screens_show(project: Project) -> None:
    found = read(project, TABLE)
    (table,) = [each for each in found.all("table") if each.get("class") == "data"]
    labels = [each for each in table.iter("span") if each.get("class") == "label"]
    assert [label.text for label in labels] == ["Office: ", "Members: "] * 2
    assert {"display:none" in (label.get("style") or "").replace(" ", "") for label in labels} == {True}
    narrow = found.html.partition("@media only screen and (max-width: 559px) {\n  .data")[2].partition("\n}")[0]
    assert ".data .label { display: inline !important; }" in narrow
    assert ".data td { display: block" in narrow.replace(".data, .data tbody, .data tr, ", "")


def test_a_column_without_a_name_has_no_label(project: Project) -> None:
    found = read(project, "| | b |\n|---|---|\n| x | y |")
    assert [each.text for each in found.all("span") if each.get("class") == "label"] == ["b: "]


def test_columns_keep_their_alignment(project: Project) -> None:
    found = read(project, TABLE)
    cells = {"".join(cell.itertext()).strip(): cell.get("style") or "" for cell in found.all("td")}
    assert "text-align:left" in cells["Office: INE"].replace(" ", "")
    assert "text-align:right" in cells["Members: 12"].replace(" ", "")
    assert re.search(r"^INE +12$", found.text, re.MULTILINE)


def test_a_picture_in_prose_fits_the_mail_and_has_words(project: Project) -> None:
    found = read(project, "See ![Members *by* country](chart.png) and ![Ana](./ana.png).")
    chart, ana = found.all("img")[-2:]
    assert (chart.get("alt"), chart.get("width")) == ("Members by country", "528")
    assert (ana.get("alt"), ana.get("width")) == ("Ana", "40")
    assert "max-width:100%" in (chart.get("style") or "").replace(" ", "")
    assert found.text == "See [Members by country] and [Ana]."


def test_a_picture_whose_name_has_a_blank_is_written_in_angle_brackets(project: Project) -> None:
    folder = furnished(project).campaigns / "letter"
    (folder / "my chart.png").write_bytes((folder / "chart.png").read_bytes())
    assert read(project, "![x](<my chart.png>)").all("img")[-1].get("alt") == "x"


def test_what_an_author_pastes_from_elsewhere_breaks_nothing(project: Project) -> None:
    assert read(project, "one\x0btwo\x00three\x1b").text == "one two three"


VALUES = [
    ("{{ v }}", "a*b [x](y) & `c`"),
    ("**{{ v }}**", "a*b [x](y) & `c`"),
    ("`{{ v }}`", "a*b [x](y) & `c`"),
    ("    {{ v }}", "a*b [x](y) & `c`"),
    ("```\n{{ v }}\n```", "a*b [x](y) & `c`"),
    ("# {{ v }}", "a*b [x](y) & `c`"),
    ("- {{ v }}", "a*b [x](y) & `c`"),
    ("[{{ v }}](https://a.example)", "a*b [x](y) & `c`"),
]


@pytest.mark.parametrize(("text", "shown"), VALUES, ids=[text for text, _ in VALUES])
def test_a_value_is_shown_as_it_is(project: Project, text: str, shown: str) -> None:
    front = FRONT.replace("\n\n", f"\n\n[values]\nv = '{shown}'\n\n", 1)
    found = read(project, text, front=front)
    assert shown in found.words
    assert shown in found.text


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("[x](https://a.example/?q={{ v }})", "https://a.example/?q=a%20b+c"),
        ("<https://a.example/?q={{ v }}>", "https://a.example/?q=a%20b%2Bc"),
        ("[x](https://a.example/?q={{ v | urlencode }})", "https://a.example/?q=a%20b%2Bc"),
        ("```button\n[x](https://a.example/?q={{ v }})\n```", "https://a.example/?q=a%20b+c"),
        ("```figure\nimage: ana.png\nalt: x\nlink: https://a.example/?q={{ v }}\n```", "https://a.example/?q=a%20b+c"),
    ],
)
def test_a_value_in_a_link_does_not_end_it(project: Project, text: str, address: str) -> None:
    front = FRONT.replace("\n\n", "\n\n[values]\nv = 'a b+c'\n\n", 1)
    assert address in read(project, text, front=front).links.values()


def test_a_text_in_a_loop_keeps_its_lines(project: Project) -> None:
    with pytest.raises(CampaignError) as refused:
        mail(project, "{% for name in ['ana.png', 'bo.png'] %}\n\n![x]({{ name }}) ana.png\n{% endfor %}")
    assert refused.value.problem.where == f"campaigns/letter/campaign.md, line {FIRST_LINE + 2}"


def test_variants_of_one_source_differ_only_in_what_they_ask(project: Project) -> None:
    source = frozen(project, "You are {{ recipient.status }}.\n\n```note\nFrom {{ recipient.country }}.\n```")
    lead = Read(compile_message(source, {"status": "lead", "country": "PT"}))
    member = Read(compile_message(source, {"status": "member", "country": "SE"}))
    assert (lead.text[:12], member.text[:14]) == ("You are lead", "You are member")
    assert "From PT." in lead.words
    assert "From SE." in member.words
