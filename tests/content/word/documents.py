"""Word documents as people make them, by python-docx. Their words are ours, their shapes those of real texts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from docx import Document
from docx.document import Document as Docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.text.paragraph import Paragraph
from PIL import Image

RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def saved(make: Callable[[Docx], object], path: Path) -> Path:
    """A document that `make` has filled, as a file."""
    document = Document()
    make(document)
    document.save(str(path))
    return path


def add_link(paragraph: Paragraph, address: str, words: str) -> None:
    """A hyperlink as Word writes it."""
    key = paragraph.part.relate_to(address, f"{RELATIONSHIPS}/hyperlink", is_external=True)
    paragraph._p.append(
        parse_xml(
            f'<w:hyperlink {nsdecls("w", "r")} r:id="{key}">'
            f'<w:r><w:rPr><w:rStyle w:val="Hyperlink"/></w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'
            "</w:hyperlink>"
        )
    )


def add_xml(paragraph: Paragraph, xml: str) -> None:
    """Elements of WordprocessingML (`w:`, `r:`, `m:` ...) at the end of a paragraph."""
    names = nsdecls("w", "r", "a", "wp", "pic") + (
        ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
        ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
        ' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    )
    for each in parse_xml(f"<w:x {names}>{xml}</w:x>"):
        paragraph._p.append(each)


def picture(colour: str = "#1f4e79", *, format: str = "PNG", size: tuple[int, int] = (240, 120)) -> io.BytesIO:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format)
    file.seek(0)
    return file


def add_picture(document: Docx, alt: str = "", **how: str) -> None:
    """A picture with its description, as Word's "Edit Alt Text" writes it."""
    shape = document.add_picture(picture(**how))
    shape._inline.docPr.set("descr", alt)


def call_for_proposals(document: Docx) -> None:
    """A call that came out of a PDF: a paragraph for each line, an empty one between, typed asterisks, a bare address.

    Its paragraphs end like those of the group's call for 2022: with two blanks where a line was full by chance.
    """
    for line in CALL.splitlines():
        document.add_paragraph(line.replace("␣", " "))
        document.add_paragraph("")


CALL = """\
 Call for ideas - Machine Learning Group 2022␣
Dear colleagues,␣␣
Next year the Machine Learning Group starts a programme of its own making, and what is␣
in it depends on you. Please tell us by 19 January what you would like to work on with␣
colleagues from other offices.␣␣
The group brings together more than 250 people from 33 countries who bring machine␣
learning into official statistics, most of them in statistical offices. They exchange what␣
they have learnt, look into questions together, and help each other over the first hurdles␣
of putting a model into production.␣␣
What we have in mind␣
In 2022 everything grows out of what members propose. An idea can be small or large: a␣
talk about your own work counts as much as a research question that several offices share.␣
So does a guide that saves others the mistakes you made.␣
Three things are planned so far:␣␣
*A squad in which members from several countries work on one research question with␣
data that can be shared. It begins in February and reports half-way in July.␣␣
*Theme areas in the place of workstreams, for discussion and talks about one side of␣
machine learning each.␣␣
https://www.example.org/ml/2022
␣␣
␣␣␣
*More training: sessions of Coffee and Coding, and material for beginners as well as for␣
people who have done this for years.␣
How to take part␣
Write to ideas@ml.example with a few lines on what you have in mind, and say whether your␣
office could lead the work.␣
Thank you for your time,␣
␣
Ada Example and Ben Example;␣␣
The Coordination Team␣
mailto:ideas@ml.example
"""
"""A line a paragraph; ␣ is a blank at its end."""


def board_update(document: Docx) -> None:
    """An update to the board, written in Word: title and headings by style, bold run-ins, typed and real lists, a link,
    a table, a picture.
    """
    document.add_heading("Update to the Executive Board, September and October 2021", 0)
    document.add_heading("Overview", 1)
    document.add_paragraph("Two busy months: more talks, more people at them, and a plan for 2022. ")
    line = document.add_paragraph("The webinar is on 19 November, 13:00 to 17:00 CET. The programme is ")
    add_link(line, "https://www.example.org/webinar?year=2021&part=1", "on the wiki")
    line.add_run(".")
    document.add_heading("Strategy and planning", 1)
    _led(document, "Survey.", " Members are telling us what worked in 2021 and what should come next.")
    _led(document, "Outreach.", " An event beside the Expo in January is in preparation.")
    document.add_heading("Events", 1)
    document.add_paragraph("September brought two talks:")
    document.add_paragraph("· Injuries at work, linked without names – Alex Measure, United States ")
    document.add_paragraph("· WordGraph2Vec, sentences as graphs – Marc Ponsen, the Netherlands")
    document.add_paragraph("The talks of 27 October:")
    for talk in ("Classifying encrypted text – Statistics Canada", "MLOps in a tax office – Australia"):
        document.add_paragraph(talk, style="List Bullet")
    table = document.add_table(3, 2)
    rows = (("Coffee and Coding", "People"), ("Registered", "160"), ("Attended", "almost 100"))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    add_picture(document, "Registrations by country")
    document.add_paragraph("The recording is on the wiki.")


def _led(document: Docx, lead: str, text: str) -> None:
    paragraph = document.add_paragraph()
    paragraph.add_run(lead).bold = True
    paragraph.add_run(text)


def repacked(source: Path, target: Path, parts: dict[str, bytes], *, without: str = "") -> Path:
    """A copy of an archive with some parts replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts and name != without:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return target
