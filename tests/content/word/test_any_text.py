"""Whatever a Word document holds: its words are the mail's words, and a damaged file is an error that says so."""

from __future__ import annotations

import zipfile
from pathlib import Path

from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.content.word.reading import read_word
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from tests.content.projects import compiled, write_template
from tests.content.word.documents import board_update, repacked, saved

ANYTHING = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# What XML 1.0 can hold, and what Markdown, Jinja and HTML would read as their own.
_CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"))
_SIGNS = st.sampled_from(
    [
        "{{", "{%", "{#", "}}", "%}", "#", "##", "-", "+", "*", "**", "_", "__", "`", "```", "~~~", ">", "|", "[", "]",
        "(", ")", "[a](b)", "![a](b)", "<b>", "<!--", "&amp;", "&#35;", "\\", "\\*", "1.", "2)", "===", "---", ":::",
        ":--", "http://a.example/", "a@b.example", "+++", "$", "!", ":", "TODO", "{{ recipient.name }}", "\u202e",
    ]
)  # fmt: skip
_TEXTS = st.lists(st.one_of(_SIGNS, st.text(_CHARACTERS, min_size=1, max_size=8)), min_size=1, max_size=8)


def _letters(text: str) -> str:
    """Everything that is no blank: lines are wrapped anew."""
    return "".join(text.split())


@ANYTHING
@given(
    st.lists(
        st.tuples(_TEXTS.map(" ".join), st.booleans(), st.booleans(), st.sampled_from(["Normal", "List Bullet"])),
        min_size=1,
        max_size=4,
    )
)
def test_the_words_of_any_paragraphs_are_those_of_the_mail(
    tmp_path: Path, project: Project, paragraphs: list[tuple[str, bool, bool, str]]
) -> None:
    document = Document()
    # So that nothing is taken for a title, and no run of lines for one broken sentence.
    document.add_paragraph("Hello,")
    for text, bold, italic, style in paragraphs:
        paragraph = document.add_paragraph(style=style)
        # An x at its beginning: what is a list mark there becomes one, as the tables of cases show.
        paragraph.add_run("x")
        for number, part in enumerate(text.split("a")):
            run = paragraph.add_run(f"{'a' if number else ''}{part}")
            run.bold, run.italic = bold and number % 2 == 0, italic and number % 3 == 0
    document.save(str(tmp_path / "any.docx"))
    write_template(project, "newsletter.txt.j2", "{{ body }}")
    text = compiled(project, read_word(tmp_path / "any.docx").markdown).text
    expected = "".join(f"{'-' * (style == 'List Bullet')}x{_letters(text)}" for text, *_, style in paragraphs)
    assert _letters(text) == f"Hello,{expected}"


@ANYTHING
@given(st.data())
def test_a_damaged_document_is_read_or_refused_with_reason(tmp_path: Path, data: st.DataObject) -> None:
    whole = tmp_path / "whole.docx"
    if not whole.exists():
        saved(board_update, whole)
    part = data.draw(st.sampled_from(["word/document.xml", "word/numbering.xml", "word/styles.xml", "_rels/.rels",
                                      "word/_rels/document.xml.rels"]))  # fmt: skip
    with zipfile.ZipFile(whole) as archive:
        content = archive.read(part)
    at = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(0, 60))
    filling = data.draw(st.sampled_from([b"", b"0", b"<", b">", b'"', b"\xff", b"<w:p>", b"w:", b"rId1", b'w:val=""']))
    damaged = {part: content[:at] + filling + content[at + length :]}
    told = "nothing was wrong with it"
    try:
        read_word(repacked(whole, tmp_path / "damaged.docx", damaged))
    except CampaignError as error:
        told = error.problem.mend
    assert told
