"""Word documents as a whole: what of them is in the campaign, and what is told about the rest."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from docx.document import Document as Docx
from docx.enum.text import WD_BREAK, WD_COLOR_INDEX
from docx.shared import Inches
from docx.text.paragraph import Paragraph

from mlgroup_mail.content.word.reading import read_word
from mlgroup_mail.content.word.remarks import RemarkKind
from mlgroup_mail.content.word.word_text import WordText
from tests.content.word.documents import (
    add_link,
    add_picture,
    add_xml,
    board_update,
    call_for_proposals,
    picture,
    saved,
)

Read = Callable[[Callable[[Docx], object]], WordText]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(make: Callable[[Docx], object]) -> WordText:
        return read_word(saved(make, tmp_path / "text.docx"))

    return read


def lost(text: WordText) -> list[str]:
    return [str(remark) for remark in text.remarks if remark.kind is RemarkKind.LOST]


def to_look_at(text: WordText) -> list[str]:
    return [str(remark) for remark in text.remarks if remark.kind is RemarkKind.LOOK]


def test_a_call_that_came_out_of_a_pdf_has_its_paragraphs_again(read: Read) -> None:
    assert read(call_for_proposals).markdown == CALL_READ


CALL_READ = """\
Dear colleagues,

Next year the Machine Learning Group starts a programme of its own making, and what is in it depends on you. \
Please tell us by 19 January what you would like to work on with colleagues from other offices.

The group brings together more than 250 people from 33 countries who bring machine learning into official statistics, \
most of them in statistical offices. They exchange what they have learnt, look into questions together, and help each \
other over the first hurdles of putting a model into production.

What we have in mind

In 2022 everything grows out of what members propose. An idea can be small or large: a talk about your own work counts \
as much as a research question that several offices share. So does a guide that saves others the mistakes you made.

Three things are planned so far:

- A squad in which members from several countries work on one research question with data that can be shared. \
It begins in February and reports half-way in July.
- Theme areas in the place of workstreams, for discussion and talks about one side of machine learning each.

<https://www.example.org/ml/2022>

- More training: sessions of Coffee and Coding, and material for beginners as well as for people who have done this \
for years.

How to take part

Write to <ideas@ml.example> with a few lines on what you have in mind, and say whether your office could lead the work.

Thank you for your time,

Ada Example and Ben Example;

The Coordination Team

<mailto:ideas@ml.example>"""


def test_its_first_line_is_the_title_and_lines_alone_are_named(read: Read) -> None:
    text = read(call_for_proposals)
    assert text.title == "Call for ideas - Machine Learning Group 2022"
    told = to_look_at(text)
    assert "taken for the title: “Call for ideas - Machine Learning Group 2022”" in told
    assert "stands alone like a heading: “What we have in mind”; if it is one, put ## before it" in told
    assert any("lines that broke off in a sentence" in remark for remark in told)
    assert any("to greet each by name: Dear {{ recipient.first_name" in remark for remark in told)


def test_an_update_written_in_word_keeps_its_structure(read: Read) -> None:
    text = read(board_update)
    assert text.title == "Update to the Executive Board, September and October 2021"
    assert text.markdown == BOARD_READ
    assert lost(text) == []


BOARD_READ = """\
## Overview

Two busy months: more talks, more people at them, and a plan for 2022.

The webinar is on 19 November, 13:00 to 17:00 CET. The programme is \
[on the wiki](https://www.example.org/webinar?year=2021&part=1).

## Strategy and planning

**Survey.** Members are telling us what worked in 2021 and what should come next.

**Outreach.** An event beside the Expo in January is in preparation.

## Events

September brought two talks:

- Injuries at work, linked without names – Alex Measure, United States
- WordGraph2Vec, sentences as graphs – Marc Ponsen, the Netherlands

The talks of 27 October:

- Classifying encrypted text – Statistics Canada
- MLOps in a tax office – Australia

| Coffee and Coding | People |
| --- | --- |
| Registered | 160 |
| Attended | almost 100 |

![Registrations by country](registrations-by-country.png)

The recording is on the wiki."""


class TestHeadings:
    def test_the_title_may_be_a_heading_and_the_others_begin_at_the_second_level(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_heading("News", 1)
            document.add_heading("First", 2)
            document.add_paragraph("Text.")
            document.add_heading("Deeper", 4)
            document.add_paragraph("Text.")

        text = read(make)
        assert text.title == "News"
        assert text.markdown == "## First\n\nText.\n\n### Deeper\n\nText."

    def test_after_a_greeting_there_is_no_title(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("Dear colleagues,")
            document.add_heading("News", 1)
            document.add_paragraph("Text.")

        text = read(make)
        assert text.title == ""
        assert text.markdown == "Dear colleagues,\n\n## News\n\nText."

    def test_a_style_of_ones_own_counts_like_the_one_it_is_based_on(self, read: Read) -> None:
        def make(document: Docx) -> None:
            style = document.styles.add_style("Section of ours", 1)
            style.base_style = document.styles["Heading 2"]
            document.add_paragraph("Title", style="Title")
            document.add_paragraph("Ours", style="Section of ours")
            document.add_paragraph("Text.")

        assert read(make).markdown == "## Ours\n\nText."

    def test_bold_lines_alone_are_headings_below_those_by_style_and_are_told(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_heading("Title", 0)
            document.add_heading("Events", 1)
            document.add_paragraph().add_run("In autumn").bold = True
            document.add_paragraph("Text.")
            document.add_paragraph().add_run("This sentence is important.").bold = True
            document.add_paragraph("More text.")

        text = read(make)
        assert text.markdown == "## Events\n\n### In autumn\n\nText.\n\n**This sentence is important.**\n\nMore text."
        assert "taken for a heading, because it is bold and alone: “In autumn”" in to_look_at(text)

    def test_bold_by_its_style_is_bold(self, read: Read) -> None:
        def make(document: Docx) -> None:
            style = document.styles.add_style("Lead", 1)
            style.font.bold = True
            document.add_heading("Title", 0)
            document.add_paragraph("In autumn", style="Lead")
            document.add_paragraph("Text.")

        assert read(make).markdown == "## In autumn\n\nText."


class TestLists:
    def test_nested_and_numbered_lists_keep_depth_and_numbers(self, read: Read) -> None:
        def make(document: Docx) -> None:
            for style, text in (
                ("List Bullet", "one"),
                ("List Bullet 2", "inner"),
                ("List Number", "first"),
                ("List Number", "second"),
                ("Normal", "In between."),
                ("List Number", "third"),
            ):
                document.add_paragraph(text, style=style)

        assert read(make).markdown == "- one\n  - inner\n1. first\n2. second\n\nIn between.\n\n3. third"

    def test_an_item_of_several_lines_is_one_item(self, read: Read) -> None:
        def make(document: Docx) -> None:
            run = document.add_paragraph(style="List Bullet").add_run("one")
            run.add_break()
            run.add_text("and more")

        assert read(make).markdown == "- one and more"


class TestLinks:
    def test_a_field_is_a_link_in_both_of_words_forms(self, read: Read) -> None:
        def make(document: Docx) -> None:
            code = 'HYPERLINK "https://www.example.org/a" \\l "part" \\o "a hint"'
            add_xml(
                document.add_paragraph("See "),
                f"<w:fldSimple w:instr='{code}'><w:r><w:t>here</w:t></w:r></w:fldSimple>",
            )
            marks = "<w:r><w:fldChar w:fldCharType='{}'/></w:r>"
            add_xml(
                document.add_paragraph("And "),
                f"{marks.format('begin')}<w:r><w:instrText>{code}</w:instrText></w:r>{marks.format('separate')}"
                f"<w:r><w:t>there</w:t></w:r>{marks.format('end')}",
            )

        link = "(https://www.example.org/a#part)"
        assert read(make).markdown == f"See [here]{link}\n\nAnd [there]{link}"

    @pytest.mark.parametrize("address", ["file:///C:/plans.docx", "javascript:alert(1)", "plans.docx", "\\\\server\\x"])
    def test_what_leads_nowhere_from_a_mail_is_text(self, read: Read, address: str) -> None:
        text = read(lambda document: add_link(document.add_paragraph("See "), address, "this"))
        assert text.markdown == "See this"
        assert lost(text) == [f"a link that no reader could follow: “{address}”, after “See this”"]

    def test_braces_and_brackets_in_an_address_are_encoded(self, read: Read) -> None:
        def make(document: Docx) -> None:
            add_link(document.add_paragraph(), "https://www.example.org/a b(c)?x={{y}}", "here")

        assert read(make).markdown == "[here](https://www.example.org/a%20b%28c%29?x=%7B%7By%7D%7D)"


class TestTables:
    def test_merged_cells_stand_in_the_first_and_are_told(self, read: Read) -> None:
        def make(document: Docx) -> None:
            table = document.add_table(3, 3)
            for row, cells in enumerate(table.rows):
                for column, cell in enumerate(cells.cells):
                    cell.text = f"{row}{column}"
            table.cell(1, 1).merge(table.cell(1, 2)).text = "wide"
            table.cell(1, 0).merge(table.cell(2, 0)).text = "tall"

        text = read(make)
        assert text.markdown == "| 00 | 01 | 02 |\n| --- | --- | ---: |\n| tall | wide |  |\n|  | 21 | 22 |"
        assert any("has merged cells" in remark for remark in to_look_at(text))

    def test_a_column_of_numbers_stands_right(self, read: Read) -> None:
        def make(document: Docx) -> None:
            table = document.add_table(3, 4)
            rows = [("Country", "Members", "Share", "Room"), ("FR", "1,204", "12.5 %", "B 12"), ("DE", "−3", "", "17")]
            for row, texts in zip(table.rows, rows, strict=True):
                for cell, text in zip(row.cells, texts, strict=True):
                    cell.text = text

        assert read(make).markdown.splitlines()[1] == "| --- | ---: | ---: | --- |"

    def test_cells_of_several_paragraphs_are_one_line_and_are_told(self, read: Read) -> None:
        def make(document: Docx) -> None:
            table = document.add_table(2, 2)
            for row in table.rows:
                for cell in row.cells:
                    cell.text = "a|b\nc"

        text = read(make)
        assert text.markdown.splitlines()[2] == r"| a\|b c | a\|b c |"
        assert not any("several paragraphs" in remark for remark in to_look_at(text))

        def make_paragraphs(document: Docx) -> None:
            table = document.add_table(1, 2)
            for cell in table.rows[0].cells:
                cell.text = "one"
                cell.add_paragraph("two")

        text = read(make_paragraphs)
        assert text.markdown.startswith("| one; two | one; two |")
        assert any("several paragraphs" in remark for remark in to_look_at(text))

    def test_a_frame_of_one_column_is_running_text(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_table(1, 1).cell(0, 0).text = "Please note"

        text = read(make)
        assert text.markdown == "Please note"
        assert any("a frame of one column" in remark for remark in to_look_at(text))


class TestPictures:
    def test_they_are_named_by_what_they_show(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("Text.")
            add_picture(document, "Übersicht: people & countries", colour="red")
            add_picture(document, "Übersicht: people & countries", colour="blue")
            add_picture(document, format="JPEG")
            add_picture(document, "{{ 7*7 }} [x]", format="GIF")

        text = read(make)
        names = [each.name for each in text.pictures]
        assert names == [
            "ubersicht-people-countries.png",
            "ubersicht-people-countries-2.png",
            "picture-1.jpg",
            "7-7-x.gif",
        ]
        assert "![Übersicht: people & countries](ubersicht-people-countries.png)" in text.markdown
        assert r"![{\{ 7\*7 }\} \[x\]](7-7-x.gif)" in text.markdown
        assert any(remark.startswith("picture-1.jpg has no description") for remark in to_look_at(text))

    def test_one_picture_in_two_places_is_one_file(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("Text.")
            for _ in range(2):
                add_picture(document, "The logo")

        text = read(make)
        assert [each.name for each in text.pictures] == ["the-logo.png"]
        assert text.markdown.count("![The logo](the-logo.png)") == 2

    def test_words_own_guesses_are_told(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("Text.")
            add_picture(document, "A close-up of a sign\n\nDescription automatically generated with low confidence")

        text = read(make)
        assert "![A close-up of a sign](a-close-up-of-a-sign.png)" in text.markdown
        assert any("is a guess of Word's: “A close-up of a sign”" in remark for remark in to_look_at(text))

    def test_formats_that_mail_does_not_show_are_named_with_their_place(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("The chart below shows it.")
            document.add_picture(picture(format="TIFF"), width=Inches(1))

        text = read(make)
        assert text.pictures == ()
        assert text.markdown == "The chart below shows it."
        said = "a picture in TIFF format: save it as PNG, and insert that, after “The chart below shows it.”"
        assert lost(text) == [said]

    def test_a_picture_that_is_only_linked_is_never_fetched(self, read: Read) -> None:
        def make(document: Docx) -> None:
            paragraph = document.add_paragraph("Look: ")
            kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
            key = document.part.relate_to("http://127.0.0.1:9/pixel.png", kind, is_external=True)
            add_xml(
                paragraph,
                '<w:r><w:drawing><wp:inline><wp:docPr id="1" name="x"/><a:graphic>'
                '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:blipFill>'
                f'<a:blip r:link="{key}"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline>'
                "</w:drawing></w:r>",
            )

        text = read(make)
        assert text.markdown == "Look:"
        assert lost(text) == ["a picture that is only linked: insert it into the document, after “Look:”"]


def _footnote(document: Docx) -> None:
    """What python-docx has no word for: a part of notes."""
    from docx.opc.constants import RELATIONSHIP_TYPE as KIND
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    notes = (
        '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:footnote w:id="2"><w:p><w:r><w:t>As of October.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    content_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), content_type, notes.encode(), document.part.package)
    document.part.relate_to(part, KIND.FOOTNOTES)
    paragraph = document.add_paragraph("We are 250")
    add_xml(paragraph, '<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t xml:space="preserve"> people.</w:t></w:r>')


class TestCaptions:
    @pytest.mark.parametrize("below", [True, False])
    def test_a_caption_stands_with_its_picture(self, read: Read, below: bool) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("What the group did last year is told in one picture, and in a few words below it.")
            if not below:
                document.add_paragraph("Figure 1: members by year", style="Caption")
            add_picture(document, "A curve that rises")
            if below:
                document.add_paragraph("Figure 1: members by year", style="Caption")
            document.add_paragraph("It goes on, and nobody knows for how long; that is for the next text to say.")

        found = read(make)
        figure = (
            "```figure\nimage: a-curve-that-rises.png\nalt: A curve that rises\ncaption: Figure 1: members by year\n```"
        )
        assert f"\n\n{figure}\n\nIt goes on" in found.markdown
        assert found.kept == {"picture": 1}
        assert found.title == ""

    def test_each_picture_has_its_own(self, read: Read) -> None:
        def make(document: Docx) -> None:
            for number in (1, 2):
                add_picture(document, f"Curve {number}", colour=f"#00000{number}")
                document.add_paragraph(f"Figure {number}", style="Caption")

        assert [line for line in read(make).markdown.splitlines() if ":" in line] == [
            *("image: curve-1.png", "alt: Curve 1", "caption: Figure 1"),
            *("image: curve-2.png", "alt: Curve 2", "caption: Figure 2"),
        ]

    def test_beside_a_table_or_a_picture_without_words_it_is_a_paragraph_and_no_heading(self, read: Read) -> None:
        def make(document: Docx) -> None:
            document.add_paragraph("Table 1: people and countries", style="Caption")
            table = document.add_table(2, 2)
            for row in table.rows:
                for cell in row.cells:
                    cell.text = "x"
            add_picture(document)
            document.add_paragraph("Figure 1", style="Caption")
            document.add_paragraph("What follows is a text that goes on for a while, so that lines alone look alone.")

        found = read(make)
        assert "#" not in found.markdown
        assert "```" not in found.markdown
        assert found.markdown.startswith("Table 1: people and countries\n\n|")
        assert "![](picture-1.png)\n\nFigure 1\n\n" in found.markdown
        told = " ".join(map(str, found.remarks))
        assert "the caption “Table 1: people and countries” is a paragraph of its own" in told
        assert "heading" not in told


def test_notes_stand_at_the_end_by_their_numbers(read: Read) -> None:
    text = read(_footnote)
    assert text.markdown == "We are 250\\[1\\] people.\n\n\\[1\\] As of October."
    assert "foot- and endnotes (1) stand at the end of the text, by their numbers" in to_look_at(text)


def _xml(xml: str) -> Callable[[Paragraph], object]:
    return lambda paragraph: add_xml(paragraph, xml)


def _commented(document: Docx) -> None:
    run = document.add_paragraph("The deadline is ").add_run("Wednesday")
    document.add_comment([run], text="Is it a Wednesday?", author="Ada")


@pytest.mark.parametrize(
    ("xml", "markdown", "says"),
    [
        (
            "<m:oMath><m:r><m:t>a+b</m:t></m:r></m:oMath>",
            "Before the spot stands this.",
            "an equation: “a+b”, after “Before the spot stands this.”",
        ),
        (
            "<w:r><w:object><o:OLEObject ProgID='Excel.Sheet.12'/></w:object></w:r>",
            "Before the spot stands this.",
            "an embedded object: “Excel.Sheet.12”, after “Before the spot stands this.”",
        ),
        (
            "<w:del><w:r><w:delText>never</w:delText></w:r></w:del><w:ins><w:r><w:t> New.</w:t></w:r></w:ins>",
            "Before the spot stands this. New.",
            "1 deletion of tracked changes",
        ),
        (
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>",
            "Before the spot stands this.",
            "hidden text: “secret”, after “Before the spot stands this.”",
        ),
        (
            "<w:r><w:drawing><wp:inline><a:graphic><a:graphicData "
            "uri='http://schemas.openxmlformats.org/drawingml/2006/chart'/></a:graphic></wp:inline></w:drawing></w:r>",
            "Before the spot stands this.",
            "a chart: copy it in Word, and paste it as a picture, after “Before the spot stands this.”",
        ),
        (
            "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>Click here</w:t></w:r></w:sdtContent>"
            "</w:sdt>",
            "Before the spot stands this.",
            "a field that nobody has filled in: “Click here”, after “Before the spot stands this.”",
        ),
        ("<w:r><w:br w:type='page'/></w:r>", "Before the spot stands this.", "a page break, after"),
        (
            "<w:r><w:rPr><w:u w:val='single'/></w:rPr><w:t> Under.</w:t></w:r>",
            "Before the spot stands this. Under.",
            "the line under 1 passage: in a mail it would look like a link",
        ),
    ],
)
def test_what_cannot_be_kept_is_told_with_its_place(read: Read, xml: str, markdown: str, says: str) -> None:
    text = read(lambda document: add_xml(document.add_paragraph("Before the spot stands this."), xml))
    assert text.markdown == markdown
    assert any(remark.startswith(says) for remark in lost(text)), lost(text)


def test_comments_are_told_with_their_words(read: Read) -> None:
    text = read(_commented)
    assert text.markdown == "The deadline is Wednesday"
    assert lost(text) == ["a comment: “Is it a Wednesday?”, after “The deadline is Wednesday”"]


def test_a_table_of_contents_is_left_out_and_told_once(read: Read) -> None:
    def make(document: Docx) -> None:
        style = document.styles.add_style("toc 1", 1)
        for line in ("News 1", "Dates 2"):
            document.add_paragraph(line, style=style)
        document.add_paragraph("Text.")

    text = read(make)
    assert text.markdown == "Text."
    assert lost(text) == ["a table of contents"]


def test_headers_and_footers_are_told(read: Read) -> None:
    def make(document: Docx) -> None:
        document.add_paragraph("Text.")
        document.sections[0].header.paragraphs[0].text = "DRAFT"
        document.sections[0].footer.paragraphs[0].text = "page"

    assert lost(read(make)) == ["the page header: “DRAFT”", "the page footer: “page”"]


def test_highlights_are_told_because_people_mean_something_by_them(read: Read) -> None:
    def make(document: Docx) -> None:
        paragraph = document.add_paragraph("We meet on ")
        for part in ("19 ", "January"):
            paragraph.add_run(part).font.highlight_color = WD_COLOR_INDEX.YELLOW
        paragraph.add_run(" at noon.")

    said = "highlighted in the document, not in the mail: “19 January”, after “We meet on”"
    assert said in to_look_at(read(make))


def test_the_text_of_a_text_box_is_kept_once(read: Read) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>In the box.</w:t></w:r></w:p></w:txbxContent>"
    xml = (
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:anchor><a:graphic><a:graphicData "
        "uri='http://schemas.microsoft.com/office/word/2010/wordprocessingShape'><wps:wsp><wps:txbx>"
        f"{box}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )
    text = read(lambda document: add_xml(document.add_paragraph("Beside it."), xml))
    assert text.markdown == "Beside it.\n\nIn the box."
    assert any(remark.startswith("a text box") for remark in to_look_at(text))


@pytest.mark.parametrize(
    ("xml", "markdown"),
    [
        ("<w:fldSimple w:instr='DATE'><w:r><w:t>today</w:t></w:r></w:fldSimple>", "x today"),
        ("<w:bdo w:val='rtl'><w:r><w:t>שלום</w:t></w:r></w:bdo>", "x שלום"),
        ("<w:dir w:val='rtl'><w:r><w:t>שלום</w:t></w:r></w:dir>", "x שלום"),
        ("<w:r><w:t>a</w:t><w:cr/><w:t>b</w:t></w:r>", "x a\\\nb"),
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r>", "x a b"),
        ("<w:r><w:t>m</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>2</w:t></w:r>", "x m²"),
        ("<w:r><w:t>1</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>st</w:t></w:r>", "x 1st"),
        (
            "<w:ruby><w:rubyPr/><w:rt><w:r><w:t>かん</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby>",
            "x 漢",
        ),
    ],
)
def test_text_that_stands_in_unusual_elements_is_kept(read: Read, xml: str, markdown: str) -> None:
    if xml.startswith("<w:ruby"):
        xml = f"<w:r>{xml}</w:r>"
    assert read(lambda document: add_xml(document.add_paragraph("x "), xml)).markdown == markdown


def test_lines_of_an_address_stay_lines(read: Read) -> None:
    def make(document: Docx) -> None:
        run = document.add_paragraph().add_run("With best wishes,")
        for line in ("Ada Example", "the Coordination Team"):
            run.add_break(WD_BREAK.LINE)
            run.add_text(line)

    assert read(make).markdown == "With best wishes,\\\nAda Example\\\nthe Coordination Team"


def test_a_quotation_stays_one(read: Read) -> None:
    def make(document: Docx) -> None:
        document.add_paragraph("Ada said:")
        document.add_paragraph("It counts.", style="Quote")

    assert read(make).markdown == "Ada said:\n\n> It counts."


def test_reading_leaves_the_document_as_it_is(tmp_path: Path) -> None:
    path = saved(board_update, tmp_path / "text.docx")
    before = io.BytesIO(path.read_bytes()).getvalue()
    read_word(path)
    assert path.read_bytes() == before
