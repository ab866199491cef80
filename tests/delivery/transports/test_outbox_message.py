"""The page of one message of the outbox: four views; nothing runs, nothing is fetched, nothing breaks out."""

from __future__ import annotations

import os
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.delivery.transports import outbox_message
from mlgroup_mail.delivery.transports.outbox import OutboxTransport
from tests.delivery.transports.messages import always, handed, make_message
from tests.servers.png import read_png

MAILING = Path("2021-10-newsletter/issue")
PIXEL = bytes.fromhex("47494638396101000100800000ff0000ffffff21f90400000000002c00000000010001000002024401003b")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "</pre></section></main><script>alert(1)</script>",
    "</iframe><img src=x onerror=alert(1)>",
    "' srcdoc='<script>alert(1)</script>",
    "<!-- <meta http-equiv=refresh content='0;url=https://tracker.example/'>",
    "$content $title ${style}",
    "\u202egnp.exe",
]


class Shown:
    """A page as browsers read it."""

    def __init__(self, page: str) -> None:
        self.page = page
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        self.root = parser.parse(page)
        self.errors = parser.errors

    def all(self, name: str) -> list[Any]:
        """The elements of that name, in order."""
        return list(self.root.iter(name))

    def view(self, name: str) -> str:
        """The text of one of the four views."""
        (section,) = (each for each in self.all("section") if each.get("id") == name)
        return "".join(section.itertext())

    @property
    def mail(self) -> Shown:
        """The page within the page."""
        (frame,) = self.all("iframe")
        return Shown(frame.get("srcdoc"))

    @property
    def policies(self) -> list[str]:
        return [each.get("content") for each in self.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]


def made(*, subject: str = "News", html: str = "", text: str = "Dear colleague,\n\nwelcome.\n") -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "Machine Learning Group <group@example.org>"
    message["To"] = '"Reader, Number 7" <reader7@statistics.example>'
    message["Subject"] = subject
    message["Date"] = "Tue, 02 Nov 2021 09:00:00 +0000"
    message.set_content(text)
    message.add_alternative(html or "<html><head><title>x</title></head><body>welcome</body></html>", subtype="html")
    return message


@pytest.fixture
def show(tmp_path):
    def show(content: bytes | EmailMessage) -> Shown:
        transport = OutboxTransport(tmp_path / "outbox")
        transport.open()
        content = content if isinstance(content, bytes) else content.as_bytes()
        message = make_message(content=content, delivery_id=7)
        handed(transport, [message], always)
        transport.close()
        shown = Shown((tmp_path / "outbox" / MAILING / "7.html").read_text(encoding="utf-8"))
        assert shown.errors == []
        return shown

    return show


def test_a_message_is_shown_as_html_text_headers_and_raw(show) -> None:
    content = made(subject="Grüße aus Prag", html="<head></head><p>Hello as HTML</p>", text="Hello as text\n")
    shown = show(content)
    assert "Hello as HTML" in "".join(shown.mail.root.itertext())
    assert shown.view("text") == "Hello as text\n"
    assert "SubjectGrüße aus Prag" in shown.view("headers")
    assert "=?utf-8?" in shown.view("raw")
    assert shown.view("raw").splitlines() == content.as_bytes().decode().splitlines()
    tabs = [each.get("href") for each in shown.all("a") if (each.get("href") or "").startswith("#")]
    assert tabs == ["#text", "#headers", "#raw", "#html"]


def test_neither_the_page_nor_the_mail_in_it_runs_or_fetches_anything(show) -> None:
    shown = show(made(html='<body><img src="https://tracker.example/pixel.gif"><script>alert(1)</script></body>'))
    (frame,) = shown.all("iframe")
    assert frame.get("sandbox") == ""
    assert frame.get("src") is None
    assert shown.policies == [POLICY]
    assert shown.mail.policies == [POLICY]
    assert shown.all("script") == []


@pytest.mark.parametrize("head", ["<head>", '<HEAD lang="en">', ""])
def test_the_mails_own_policy_stands_before_everything_in_it(show, head: str) -> None:
    mail = show(made(html=f'{head}<body><img src="https://tracker.example/pixel.gif"></body>')).mail.page
    assert mail.index("Content-Security-Policy") < mail.index("<img")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_message_says_stays_text(show, hostile: str) -> None:
    message = made(subject=hostile, text=f"{hostile}\n", html=f"<p>{hostile}</p>")
    message.replace_header("To", "x@example.org")
    message["X-Note"] = hostile
    message.add_attachment(b"x", "text", "html", filename=hostile.replace("/", "|"))
    shown = show(message)
    assert shown.all("script") == []
    assert shown.all("img") == []
    assert len(shown.all("iframe")) == 1
    assert [each.get("id") for each in shown.all("section")] == ["text", "headers", "raw", "html"]
    assert not [each for each in shown.root.iter() if any(name.startswith("on") for name in each.attrib)]
    assert "".join(shown.all("h1")[0].itertext()) == hostile
    assert shown.view("text").strip() == hostile


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_whatever_the_bytes_of_a_message_the_page_has_its_form(show, content: bytes) -> None:
    shown = show(b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + content)
    assert shown.all("script") == []
    assert [each.get("id") for each in shown.all("section")] == ["text", "headers", "raw", "html"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120))
def test_whatever_a_header_holds_the_page_is_written(show, field: bytes) -> None:
    shown = show(b"Subject: " + field + b"\r\nTo: " + field + b"\r\nDate: " + field + b"\r\n\r\nHello\r\n")
    assert shown.all("script") == []


def test_recipients_are_masked_but_in_the_message_itself(show) -> None:
    shown = show(made())
    assert "r…@statistics.example" in "".join(shown.all("p")[0].itertext())
    assert "reader7" not in shown.page.split('<section class="view"')[0]
    assert "reader7@statistics.example" in shown.view("headers")


def test_pictures_within_the_message_are_shown_and_named(show) -> None:
    message = made(html='<head></head><img src="cid:logo@example.org" alt="Logo">')
    message.get_payload()[1].add_related(PIXEL, "image", "gif", cid="<logo@example.org>", filename="logo.gif")
    shown = show(message)
    (picture,) = shown.mail.all("img")
    assert picture.get("src").startswith("data:image/gif;base64,R0lGOD")
    assert "Pictures in the page: logo.gif image/gif, 1 kB" in shown.view("headers")
    assert shown.all("li") == []


def test_a_part_that_only_says_it_is_a_picture_is_not_shown_as_one(show) -> None:
    message = made(html='<head></head><img src="cid:x@example.org">')
    message.get_payload()[1].add_related("<script>alert(1)</script>", "html", cid="<x@example.org>")
    assert show(message).mail.all("img")[0].get("src") == "cid:x@example.org"


CALENDAR = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:x\r
METHOD:PUBLISH\r
BEGIN:VEVENT\r
UID:1\r
SUMMARY:All-group meeting\r
DTSTART:20211027T120000Z\r
DTEND:20211027T133000Z\r
LOCATION:Online\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_an_invitation_is_told_and_its_file_lies_beside(show, tmp_path) -> None:
    message = made()
    message.add_attachment(CALENDAR.encode(), "text", "calendar", filename="invitation.ics")
    shown = show(message)
    line = "".join(shown.all("li")[0].itertext())
    assert line.startswith("All-group meeting · 2021-10-27 12:00 UTC to 2021-10-27 13:30 UTC · Online: invitation.ics")
    (link,) = (each for each in shown.all("a") if each.get("href") == "7-invitation.ics")
    assert link.get("download") is not None
    assert (tmp_path / "outbox" / MAILING / "7-invitation.ics").read_bytes() == CALENDAR.encode()


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("../../index.html", "7-index.html.txt"),
        ("report.pdf", "7-report.pdf.txt"),
        ("chart.PNG", "7-chart.PNG"),
        ("..", "7-part.txt"),
        ("7.eml", "7-7.eml.txt"),
    ],
)
def test_an_attachment_is_saved_under_a_name_that_leads_nowhere_and_runs_nothing(
    show, tmp_path, name: str, saved: str
) -> None:
    message = made()
    message.add_attachment(b"x", "application", "octet-stream", filename=name)
    show(message)
    folder = tmp_path / "outbox" / MAILING
    assert (folder / saved).read_bytes() == b"x"
    names = {path.name for path in folder.iterdir()}
    assert names == {"7.eml", "7.html", "index.html", saved}


def test_a_calendar_that_cannot_be_read_is_an_attachment_like_others(show) -> None:
    message = made()
    message.add_attachment(b"BEGIN:VCALENDAR\r\nno more", "text", "calendar", filename="invitation.ics")
    assert "".join(show(message).all("li")[0].itertext()).startswith("invitation.ics text/calendar")


def test_a_message_without_html_is_shown_as_text(show) -> None:
    shown = show(b"Subject: plain\r\n\r\n1 < 2\r\n")
    assert shown.view("html") == "1 < 2\n"
    assert shown.all("iframe") == []


def test_of_a_long_message_the_beginning_is_shown_raw(show, monkeypatch) -> None:
    monkeypatch.setattr(outbox_message, "LONGEST_RAW", 100)
    assert show(made()).view("raw").endswith("... The whole message is in 7.eml.")


def test_pages_lead_to_the_messages_beside_them(tmp_path) -> None:
    transport = OutboxTransport(tmp_path)
    transport.open()
    messages = [make_message(content=made().as_bytes(), delivery_id=number) for number in (3, 5, 8)]
    handed(transport, messages, always)
    transport.close()
    links = {
        number: [
            each.get("href")
            for each in Shown((tmp_path / MAILING / f"{number}.html").read_text()).all("a")
            if each.get("rel")
        ]
        for number in (3, 5, 8)
    }
    assert links == {3: ["5.html"], 5: ["3.html", "8.html"], 8: ["5.html"]}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 600, 1200])
@pytest.mark.parametrize("view", ["", "#text", "#headers", "#raw"])
def test_every_view_fits_its_window(show, tmp_path, chromium, view: str, width: int, dark: bool) -> None:
    html = "<html><head><meta name='color-scheme' content='light dark'></head><body><h1>Welcome</h1></body></html>"
    message = made(subject="Machine Learning Group news, October 2021", html=html, text="Dear colleague, " * 40)
    message["List-Unsubscribe"] = f"<https://mail.example.org/opt-out/{'x' * 90}>"
    message.add_attachment(CALENDAR.encode(), "text", "calendar", filename="invitation.ics")
    show(message)
    page = (tmp_path / "outbox" / MAILING / "7.html").as_uri() + view
    # Whoever wants to look keeps the pictures: MLGROUP_PICTURES names a folder for them.
    pictures = Path(os.environ.get("MLGROUP_PICTURES", tmp_path))
    target = pictures / f"message{view.replace('#', '-')}-{width}-{'dark' if dark else 'light'}.png"
    picture = read_png(chromium.screenshot(page, target, width=width, dark=dark))
    ground = (0x12, 0x17, 0x1D) if dark else (0xF6, 0xF7, 0xF9)
    assert {picture.pixel(width - 3, y) for y in range(picture.height)} == {ground}
