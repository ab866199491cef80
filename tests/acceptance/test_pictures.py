"""A picture's whole way: from the campaign's folder through approval into the mail that a server takes."""

import base64
import re
import shutil
import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import CAMPAIGN, LETTER, small_project, through
from tests.cli.conftest import Run
from tests.content.message.raw_mime import read_message
from tests.content.pictures.drawing import drawn
from tests.servers.smtp_sink import SmtpSink

TO = "person1@office.example"


@pytest.fixture
def project(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A letter with a picture, its list pulled, in the current directory."""
    root = small_project(tmp_path / "project", people=2)
    folder = root / "campaigns" / "letter"
    (folder / "campaign.md").write_text(CAMPAIGN + "\n![A chart](figures/Übersicht.png)\n", encoding="utf-8")
    (folder / "figures").mkdir()
    (folder / "figures" / "Übersicht.png").write_bytes(drawn(width=40, height=30))
    monkeypatch.chdir(root)
    assert run("contacts", "pull").code == 0
    return root


def chart_in(content: bytes) -> bytes:
    """The bytes of the picture that the page of a mail shows as “A chart”."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    page = message.get_body(("html",))
    assert page is not None
    tag = next(tag for tag in re.findall(r"<img[^>]*>", str(page.get_content())) if 'alt="A chart"' in tag)
    found = re.search(r'src="cid:([^"]+)"', tag)
    assert found, tag
    part = next(part for part in message.walk() if part["Content-ID"] == f"<{found[1]}>")
    assert (part.get_filename(), part.get_content_disposition()) == ("Übersicht.png", "inline")
    return bytes(part.get_payload(decode=True))


def test_a_picture_arrives_as_it_was_approved_even_if_its_file_is_gone(
    project: Path, run: Run, use: Settings, smtp_sink: SmtpSink
) -> None:
    assert run("approve", LETTER, "--by", "the editor").code == 0
    assert run("plan", LETTER).code == 0
    shutil.rmtree(project / "campaigns" / "letter" / "figures")
    use(through(smtp_sink))
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    messages = smtp_sink.messages()
    assert len(messages) == 2
    for message in messages:
        content = message.content.replace(b"\n", b"\r\n")
        assert chart_in(content) == drawn(width=40, height=30)
        assert [part.media_type for part in read_message(content).parts] == ["text/plain", "multipart/related"]


def test_a_preview_shows_its_pictures_in_a_browser_and_its_mail_is_the_real_one(project: Path, run: Run) -> None:
    assert run("preview", LETTER).code == 0
    folder = project / "var" / "preview" / "letter"
    page = (folder / "issue.html").read_text(encoding="utf-8")
    assert f"data:image/png;base64,{base64.b64encode(drawn(width=40, height=30)).decode()}" in page
    assert "cid:" not in page
    assert chart_in((folder / "issue.eml").read_bytes()) == drawn(width=40, height=30)
    with closing(sqlite3.connect(project / "var" / "mlgroup.db")) as ledger:
        assert ledger.execute("select count(*) from picture").fetchone() == (0,), "a preview keeps nothing"


def test_a_preview_of_hosted_pictures_needs_no_server(project: Path, run: Run, use: Settings) -> None:
    settings = project / "mlgroup.toml"
    text = settings.read_text(encoding="utf-8").replace("[theme]\n", '[theme]\nimages = "hosted"\n')
    settings.write_text(text, encoding="utf-8")
    use({"MLGROUP_PUBLIC_URL": "https://mail.example.org"})
    assert run("preview", LETTER).code == 0
    page = (project / "var" / "preview" / "letter" / "issue.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "https://mail.example.org/images/" not in page
    mail = (project / "var" / "preview" / "letter" / "issue.eml").read_bytes().replace(b"=\r\n", b"")
    assert b"https://mail.example.org/images/" in mail


def test_a_test_mail_has_its_pictures_before_anybody_has_approved_them(project: Path, run: Run) -> None:
    assert run("test-send", LETTER, "--to", TO).code == 0
    (written,) = (project / "var" / "outbox").rglob("*.eml")
    assert chart_in(written.read_bytes()) == drawn(width=40, height=30)


def test_a_ledger_that_lost_a_picture_stops_before_anybody_is_written_to(project: Path, run: Run) -> None:
    assert run("approve", LETTER, "--by", "the editor").code == 0
    with closing(sqlite3.connect(project / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.execute("delete from picture")
    result = run("send", LETTER, "--live", "--late", "trial")
    assert result.code == 2
    assert "the ledger lacks the bytes of the picture" in result.text
    assert not list((project / "var").rglob("*.eml"))


def test_a_reply_reaches_a_mailbox_that_somebody_reads(project: Path, run: Run) -> None:
    """Where a sender names no reply_to, the group's mailbox is the one that is said to be read."""
    settings = project / "mlgroup.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('reply_to = "ml-group@example.org"\n', ""), encoding="utf-8")
    assert run("preview", LETTER).code == 0
    preview = project / "var" / "preview" / "letter" / "issue.eml"
    assert read_message(preview.read_bytes()).one("Reply-To").endswith(b"<ml-group@example.org>")

    same = text.replace('address = "newsletter@example.org"', 'address = "ml-group@example.org"')
    settings.write_text(same, encoding="utf-8")
    assert run("preview", LETTER).code == 0
    assert read_message(preview.read_bytes()).all("Reply-To") == []
