"""`check` on braces: those of a torn field are one error with its line, those that are meant are none."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from docx.document import Document as Docx

from mlgroup_mail.scaffold.project import make_project
from tests.acceptance.projects import CAMPAIGN
from tests.cli.conftest import Run
from tests.cli.test_translations import project, write
from tests.content.word.documents import saved

__all__ = ["project"]

MEANT = "It says {\\{ braces }} and {\\% so }\\} on, `{{ '{{' }} code }}`.\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MEANT, []),
        (
            "one\n{% raw %}{{ name }}{% endraw %} two\n\n" + MEANT,
            [("line 14", "“{{ name }}” is left over in the mail")],
        ),
        (MEANT + "\n{ { recipient.name } }\n", [("line 15", "“{ { recipient.name } }” is left over in the mail")]),
        ("one\ntwo }}\n", [("line 14", "“}}” is left over in the mail")]),
        ("{{ wrong }}\n\nIt says {\\{ braces }}.\n", [("", "“{{ x }}” is left over in the mail")]),
    ],
)
def test_a_field_left_over_is_one_error_where_it_stands(
    run: Run, project: Path, text: str, expected: list[tuple[str, str]]
) -> None:
    assert run("contacts", "pull").code == 0
    front = CAMPAIGN.split("Dear ")[0]
    if "wrong" in text:
        front = front.replace("\n[[mailing]]", "[values]\nwrong = '{{ x }}'\n[[mailing]]")
    write(project, {"campaign.md": front + text})
    findings = run("check", "letter", "--json").json["findings"]
    file = "campaigns/letter/campaign.md"
    assert [(each["where"], each["message"]) for each in findings if each["level"] == "error"] == [
        (f"{file}, {line}" if line else file, message) for line, message in expected
    ]


def test_what_the_import_of_a_word_document_writes_passes_and_shows_as_typed(run: Run, tmp_path: Path) -> None:
    make_project(tmp_path / "ours", now=datetime(2030, 1, 3, 12, tzinfo=UTC))

    def make(document: Docx) -> None:
        document.add_heading("News {{ title }}", 0)
        document.add_paragraph("Dear colleagues, write {{ braces }}, {% if %} or a lone }} and %} in a template.")

    word = saved(make, tmp_path / "text.docx")
    ours = ("--project", tmp_path / "ours")
    assert run(*ours, "new", "newsletter", "w", "--from", word).code == 0
    file = tmp_path / "ours" / "campaigns" / "w" / "campaign.md"
    file.write_text(file.read_text(encoding="utf-8").replace("TODO", "Written"), encoding="utf-8")
    run(*ours, "contacts", "pull")
    checked = run(*ours, "check", "w", "--json")
    assert [each for each in checked.json["findings"] if each["level"] == "error"] == []
    assert run(*ours, "preview", "w", "--out", tmp_path / "seen").code == 0
    (page,) = (tmp_path / "seen").rglob("*.html")
    shown = page.read_text(encoding="utf-8")
    assert "write {{ braces }}, {% if %} or a lone }} and %} in a template." in shown
    assert "News {{ title }}" in shown
