"""`new KIND ID --from FILE.docx`: a Word document becomes a campaign that compiles, or nothing is written."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from docx.document import Document as Docx

from mlgroup_mail.scaffold.campaign import TOPICS
from mlgroup_mail.scaffold.project import make_project
from mlgroup_mail.settings.project import Project, read_project
from tests.cli.conftest import Result, Run
from tests.content.word.documents import add_picture, board_update, call_for_proposals, picture, repacked, saved


@pytest.fixture
def project(tmp_path: Path) -> Project:
    make_project(tmp_path / "ours", now=datetime(2030, 1, 3, 12, tzinfo=UTC))
    return read_project(tmp_path / "ours")


@pytest.fixture
def new(run: Run, project: Project) -> Callable[..., Result]:
    def new(document: object, kind: str = "newsletter") -> Result:
        return run("--project", project.root, "new", kind, "from-word", "--from", document)

    return new


def test_a_picture_with_its_caption_is_shown_with_it(
    run: Run, new: Callable[..., Result], project: Project, tmp_path: Path
) -> None:
    def make(document: Docx) -> None:
        document.add_heading("News", 0)
        document.add_paragraph("Dear colleagues, here is what we did in the year that has just come to its end.")
        add_picture(document, "A curve [that] rises {{ 7*7 }}")
        document.add_paragraph("Figure 1: members {{ 7*7 }} *by* year", style="Caption")

    assert new(saved(make, tmp_path / "text.docx")).code == 0
    run("--project", project.root, "contacts", "pull")
    assert run("--project", project.root, "preview", "from-word", "--out", tmp_path / "seen").code == 0
    (page,) = (tmp_path / "seen").rglob("*.html")
    assert "Figure 1: members {{ 7*7 }} *by* year" in page.read_text(encoding="utf-8")
    assert 'alt="A curve [that] rises {{ 7*7 }}"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "make"), [*((kind, board_update) for kind in TOPICS), ("call", call_for_proposals)])
def test_documents_of_both_shapes_become_campaigns_of_every_kind_that_compile(
    run: Run,
    new: Callable[..., Result],
    project: Project,
    tmp_path: Path,
    kind: str,
    make: Callable[[Docx], object],
) -> None:
    made = new(saved(make, tmp_path / "text.docx"), kind)
    assert made.code == 0, made.text

    run("--project", project.root, "contacts", "pull")
    checked = run("--project", project.root, "check", "from-word", "--json")
    errors = {finding["rule"] for finding in checked.json["findings"] if finding["level"] == "error"}
    assert errors == {"left-overs"}, checked.out
    for path in (project.campaigns / "from-word").glob("*.md"):
        path.write_text(re.sub(r"TODO:?", "Written", path.read_text(encoding="utf-8")), encoding="utf-8")
    checked = run("--project", project.root, "check", "from-word", "--json")
    assert (checked.code, checked.json["errors"]) == (0, 0), checked.out
    assert run("--project", project.root, "preview", "from-word", "--out", tmp_path / "seen").code == 0
    assert list((tmp_path / "seen").rglob("*.html"))


def test_it_tells_what_was_kept_and_what_to_look_at(new: Callable[..., Result], tmp_path: Path) -> None:
    told = new(saved(board_update, tmp_path / "update.docx")).text
    assert "Kept: the text, 3 headings, 1 link, 4 list items, 1 table, 1 picture." in told
    assert "registrations-by-country.png" in told
    assert "2 typed list marks taken for items of a list" in told
    assert "mlgroup-mail check from-word" in told


def test_the_documents_title_is_the_subject(new: Callable[..., Result], project: Project, tmp_path: Path) -> None:
    new(saved(board_update, tmp_path / "update.docx"), "board-update")
    text = (project.campaigns / "from-word" / "campaign.md").read_text(encoding="utf-8")
    assert 'subject = "Update to the Executive Board, September and October 2021"' in text
    assert "# Update to the Executive Board" not in text


def test_braces_quotes_and_breaks_in_a_title_are_text(
    run: Run, new: Callable[..., Result], project: Project, tmp_path: Path
) -> None:
    title = 'A "new" {{ 7*7 }} {% if %}\\ \x85 title'

    def make(document: Docx) -> None:
        document.add_heading(title, 0)
        document.add_paragraph("Text.")

    assert new(saved(make, tmp_path / "title.docx")).code == 0
    run("--project", project.root, "contacts", "pull")
    run("--project", project.root, "preview", "from-word", "--out", tmp_path / "seen")
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "seen").rglob("*.txt")]
    assert pages
    assert all('A "new" {{ 7*7 }} {% if %}\\ title' in page for page in pages)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "save it as “Word Document (.docx)”"),
        ("secret.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "take the password away"),
        ("text.rtf", b"{\\rtf1 hello}", "save it as “Word Document (.docx)”"),
        ("text.pdf", b"%PDF-1.7", "this is a PDF"),
        ("page.docx", b"<html>hello</html>", "this is a web page"),
        ("words.docx", b"hello", "this is no Word document"),
        ("empty.docx", b"", "the file is empty"),
        ("half.docx", b"PK\x03\x04 and no more", "this document is damaged"),
    ],
)
def test_what_is_no_word_document_is_named_with_what_to_do(
    new: Callable[..., Result], project: Project, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused = new(path)
    assert refused.code != 0
    assert says in refused.text
    assert name in refused.text
    assert not (project.campaigns / "from-word").exists()


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("xl/workbook.xml", "this is an Excel workbook"),
        ("content.xml", "this is an OpenDocument file"),
        ("anything.xml", "this is no Word document"),
    ],
)
def test_other_archives_are_told_apart(new: Callable[..., Result], tmp_path: Path, part: str, says: str) -> None:
    with zipfile.ZipFile(tmp_path / "other.docx", "w") as archive:
        archive.writestr(part, "<x/>")
    assert says in new(tmp_path / "other.docx").text


def test_a_file_that_is_not_there_is_named(new: Callable[..., Result], tmp_path: Path) -> None:
    refused = new(tmp_path / "nowhere.docx")
    assert refused.code != 0
    assert "there is no such file" in refused.text


def _word(name: str, tmp_path: Path) -> Path:
    return saved(lambda document: document.add_paragraph("Hello."), tmp_path / name)


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(12))
_BOMBS = {
    "entities": f'<!DOCTYPE x [{_ENTITIES}]><w:document xmlns:w="{_W}"><w:body><w:p><w:r><w:t>&l11;</w:t></w:r></w:p>'
    "</w:body></w:document>",
    "an entity of a file": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    f'<w:document xmlns:w="{_W}"><w:body><w:p><w:r><w:t>&f;</w:t></w:r></w:p></w:body></w:document>',
    "paragraphs": f'<w:document xmlns:w="{_W}"><w:body>{"<w:p/>" * 400_000}</w:body></w:document>',
    "depth": f'<w:document xmlns:w="{_W}"><w:body>{"<w:sdt>" * 5_000}{"</w:sdt>" * 5_000}</w:body></w:document>',
    "one long text": f'<w:document xmlns:w="{_W}"><w:body><w:p><w:r><w:t>{"a" * 30_000_000}</w:t></w:r></w:p></w:body>'
    "</w:document>",
}


@pytest.mark.parametrize("name", _BOMBS)
def test_documents_built_like_bombs_are_refused_in_bounded_memory(
    new: Callable[..., Result], project: Project, tmp_path: Path, name: str
) -> None:
    source = _word("source.docx", tmp_path)
    bomb = repacked(source, tmp_path / "bomb.docx", {"word/document.xml": _BOMBS[name].encode()})
    tracemalloc.start()
    try:
        refused = new(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.code != 0
    assert "this document holds what no mail needs" in refused.text
    assert peak < 250_000_000
    assert not (project.campaigns / "from-word").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    new: Callable[..., Result], tmp_path: Path
) -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(_word("source.docx", tmp_path)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in old.namelist():
            bomb.writestr(name, old.read(name))
        with bomb.open("word/media/zeros.bin", "w") as part:
            for _ in range(300):
                part.write(b"\0" * 1_000_000)
    (tmp_path / "bomb.docx").write_bytes(file.getvalue())
    assert "this document unpacks to 300 MB" in new(tmp_path / "bomb.docx").text


def test_too_many_parts_are_refused(new: Callable[..., Result], tmp_path: Path) -> None:
    parts = {f"word/media/{number}": b"" for number in range(6_000)}
    many = repacked(_word("source.docx", tmp_path), tmp_path / "many.docx", parts)
    assert "parts: far more than a mail has" in new(many).text


def test_a_document_without_text_makes_no_campaign(
    new: Callable[..., Result], project: Project, tmp_path: Path
) -> None:
    refused = new(saved(lambda document: document.add_paragraph("  "), tmp_path / "empty.docx"))
    assert "there is no text in this document" in refused.text
    assert not (project.campaigns / "from-word").exists()


def test_macros_are_told_and_never_kept(new: Callable[..., Result], project: Project, tmp_path: Path) -> None:
    source = _word("source.docx", tmp_path)
    with zipfile.ZipFile(source) as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
    macros = (
        '<Relationship Id="rId99" Target="vbaProject.bin" '
        'Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"/></Relationships>'
    )
    parts = {
        "word/_rels/document.xml.rels": relations.replace("</Relationships>", macros).encode(),
        "word/vbaProject.bin": b"macro",
    }
    told = new(repacked(source, tmp_path / "macros.docm", parts))
    assert told.code == 0
    assert "the document's macros; nothing in them was run" in told.text
    assert [path.name for path in (project.campaigns / "from-word").iterdir()] == ["campaign.md"]


def test_what_a_document_says_cannot_steer_the_terminal(new: Callable[..., Result], tmp_path: Path) -> None:
    def make(document: Docx) -> None:
        document.add_heading("Title", 0)
        document.add_paragraph("Dear \x9b31mall\u202e,")

    told = new(saved(make, tmp_path / "controls.docx"))
    assert told.code == 0
    assert not {"\x9b", "\u202e"} & set(told.out + told.err)


def test_a_picture_lies_beside_the_text_byte_by_byte(
    new: Callable[..., Result], project: Project, tmp_path: Path
) -> None:
    new(saved(board_update, tmp_path / "update.docx"))
    folder = project.campaigns / "from-word"
    assert (folder / "registrations-by-country.png").read_bytes() == picture().getvalue()
    text = (folder / "campaign.md").read_text(encoding="utf-8")
    assert "![Registrations by country](registrations-by-country.png)" in text
