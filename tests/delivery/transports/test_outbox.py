"""The outbox: files that a mail program opens, and pages to browse them."""

from __future__ import annotations

import os
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from mlgroup_mail.delivery.transports import outbox as outbox_module
from mlgroup_mail.delivery.transports import outbox_pages
from mlgroup_mail.delivery.transports.base import NOT_BEGUN
from mlgroup_mail.delivery.transports.outbox import OutboxTransport
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import OutcomeKind
from tests.delivery.transports.messages import CONTENT, always, handed, make_message
from tests.servers.png import read_png

MAILING = Path("2021-10-newsletter/issue")


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def transport(folder) -> OutboxTransport:
    transport = OutboxTransport(folder)
    transport.open()
    return transport


def newsletter(number: int = 1, *, subject: str = "Machine Learning Group news, October 2021", html: str = "") -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "Machine Learning Group <group@example.org>"
    message["To"] = f'"Reader, Number {number}" <reader{number}@statistics.example>'
    message["Subject"] = subject
    message["Date"] = "Tue, 02 Nov 2021 09:00:00 +0000"
    message["Message-ID"] = f"<{number}@example.org>"
    message.set_content("Dear colleague,\n\nwelcome.\n")
    message.add_alternative(html or "<html><head><title>x</title></head><body>welcome</body></html>", subtype="html")
    return message.as_bytes()


class TestFiles:
    def test_each_message_is_a_file_with_every_byte_as_it_was_made(self, folder, transport):
        messages = [make_message(), make_message("bob@example.org")]
        outcomes = handed(transport, messages, always)

        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.ACCEPTED] * 2
        assert [outcome.attempt_id for outcome in outcomes] == [message.attempt_id for message in messages]
        for message in messages:
            assert (folder / MAILING / f"{message.delivery_id}.eml").read_bytes() == CONTENT

    def test_a_mail_program_can_open_it(self, folder, transport):
        message = make_message(content=newsletter())
        handed(transport, [message], always)

        opened = message_from_bytes(
            (folder / MAILING / f"{message.delivery_id}.eml").read_bytes(), policy=policy.default
        )
        assert opened["To"].addresses[0].addr_spec == "reader1@statistics.example"
        assert opened.get_body(("html",)).get_content().startswith("<html>")

    def test_a_second_try_of_a_delivery_is_no_second_message(self, folder, transport):
        message = make_message()
        handed(transport, [message], always)
        handed(transport, [message], always)

        assert len(list((folder / MAILING).iterdir())) == 1

    def test_what_may_not_begin_any_more_is_handed_back(self, folder, transport):
        (outcome,) = handed(transport, [make_message()], lambda: False)

        assert (outcome.kind, outcome.detail, outcome.begun) == (OutcomeKind.DEFERRED, NOT_BEGUN, False)
        assert list(folder.rglob("*.eml")) == []

    def test_a_full_disk_is_surely_not_accepted_and_leaves_nothing_behind(self, folder, transport, monkeypatch):
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        outcomes = handed(transport, [make_message(), make_message()], always)

        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.DEFERRED] * 2
        assert "no space left" in outcomes[0].detail
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    def test_a_folder_that_may_forget_its_newest_names_leaves_doubt(self, transport, monkeypatch):
        def fails(folder: Path) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(outbox_module, "sync_folder", fails)
        (outcome,) = handed(transport, [make_message()], always)

        assert outcome.kind is OutcomeKind.UNCERTAIN

    def test_an_outbox_that_cannot_be_made_is_an_error_of_the_set_up(self, tmp_path):
        (tmp_path / "outbox").write_text("a file stands in the way")
        with pytest.raises(TransportError, match="outbox cannot be written"):
            OutboxTransport(tmp_path / "outbox").open()

    @pytest.mark.parametrize("name", ["../../elsewhere", "/etc", "..", ""])
    def test_no_name_leads_out_of_the_outbox(self, folder, transport, tmp_path, name):
        handed(transport, [make_message(campaign=name, mailing=name)], always)

        (written,) = tmp_path.rglob("*.eml")
        assert written.is_relative_to(folder)
        assert len(written.relative_to(folder).parts) == 3


class TestPages:
    def test_they_are_written_once_when_the_transport_is_closed(self, folder, transport):
        handed(transport, [make_message(content=newsletter())], always)
        assert not list(folder.rglob("*.html"))

        transport.close()
        written = (folder / "index.html").stat().st_mtime_ns
        transport.close()
        assert (folder / "index.html").stat().st_mtime_ns == written

    def test_they_lead_from_the_mailing_to_each_message_and_its_file(self, folder, transport):
        message = make_message(content=newsletter())
        handed(transport, [message], always)
        transport.close()

        assert f'href="{MAILING}/index.html"' in (folder / "index.html").read_text()
        page = (folder / MAILING / "index.html").read_text()
        assert f'<a href="{message.delivery_id}.html"><bdi>r…@statistics.example</bdi></a>' in page
        assert "Machine Learning Group news, October 2021" in page
        assert f'<a href="{message.delivery_id}.eml">' in page
        assert "2 Nov 2021, 09:00" in page
        assert "welcome" in (folder / MAILING / f"{message.delivery_id}.html").read_text()

    def test_recipients_are_masked(self, folder, transport):
        handed(transport, [make_message(content=newsletter(7))], always)
        transport.close()

        page = (folder / MAILING / "index.html").read_text()
        assert "r…@statistics.example" in page
        assert "reader7" not in page

    def test_a_mail_is_found_by_its_contact_and_the_delivery_that_its_file_is_called_after(self, folder, transport):
        message = make_message(content=newsletter(7), contact_id=4711, delivery_id=12)
        handed(transport, [message], always)
        transport.close()

        page = (folder / MAILING / "index.html").read_text()
        row = page[page.index("<tbody>") :]
        assert row.index("r…@statistics.example") < row.index("contact 4711") < row.index("delivery 12")
        assert row.index("delivery 12") < row.index("Machine Learning Group news")
        assert "delivery_id" in page
        assert "contact 4711" in (folder / MAILING / "12.html").read_text()

    def test_of_a_name_the_first_letters_are_shown(self, folder, transport):
        content = newsletter(7).replace(b"To: ", b"To: =?utf-8?q?=C3=89lise?= Lovelace <x@y.example>, ", 1)
        handed(transport, [make_message(content=content)], always)
        transport.close()

        page = (folder / MAILING / "index.html").read_text()
        assert "É… L…" in page
        assert "Lovelace" not in page

    def test_a_subject_is_text_whatever_it_contains(self, folder, transport):
        message = make_message(content=newsletter(subject="<script>alert(1)</script> & Grüße"))
        handed(transport, [message], always)
        transport.close()

        page = (folder / MAILING / "index.html").read_text()
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Grüße" in page

    def test_of_a_large_mailing_the_first_are_listed_and_all_are_counted(self, folder, transport, monkeypatch):
        monkeypatch.setattr(outbox_pages, "SHOWN", 3)
        messages = [make_message(content=newsletter(), delivery_id=number) for number in (100, 20, 3, 4, 1)]
        handed(transport, messages, always)
        transport.close()

        page = (folder / MAILING / "index.html").read_text()
        assert "5 messages" in page
        assert "The first 3 are listed" in page
        assert sorted(path.name for path in (folder / MAILING).glob("[0-9]*.html")) == ["1.html", "3.html", "4.html"]
        assert "5 messages" in (folder / "index.html").read_text()

    def test_only_the_mailings_that_changed_are_read_again(self, folder, transport):
        handed(transport, [make_message(content=newsletter())], always)
        transport.close()
        before = (folder / MAILING / "index.html").stat().st_mtime_ns
        handed(transport, [make_message(content=newsletter(), campaign="2022-call", mailing="invitation")], always)
        transport.close()

        assert (folder / MAILING / "index.html").stat().st_mtime_ns == before
        index = (folder / "index.html").read_text()
        assert index.index("2022-call/invitation") < index.index("2021-10-newsletter/issue")

    def test_pages_that_cannot_be_written_lose_no_message(self, folder, transport, monkeypatch, caplog):
        def full(*args: object) -> None:
            raise OSError(28, "No space left on device")

        handed(transport, [make_message(content=newsletter())], always)
        with monkeypatch.context() as patched:
            patched.setattr(outbox_pages, "replace", full)
            transport.close()
        assert "No space left" in caplog.text

        transport.close()
        assert (folder / "index.html").exists()

    def test_the_page_of_all_mailings_names_their_subjects(self, folder, transport):
        handed(transport, [make_message(content=newsletter(subject="Grüße & <b>more</b>"))], always)
        transport.close()

        assert "Grüße &amp; &lt;b&gt;more&lt;/b&gt;" in (folder / "index.html").read_text()

    def test_of_each_variant_one_is_listed_and_all_are_counted(self, folder, transport, monkeypatch):
        monkeypatch.setattr(outbox_pages, "SHOWN", 2)
        variants = ["UTC+1", "UTC+1", "UTC+1", "fr, UTC+1", "fr, UTC+1", "UTC-5"]
        messages = [
            make_message(content=newsletter(number), delivery_id=number, variant=variant)
            for number, variant in enumerate(variants, start=1)
        ]
        handed(transport, messages, always)
        transport.close()

        page = (folder / MAILING / "index.html").read_text()
        assert "The first 2 and one of each variant are listed" in page
        pages = sorted(path.name for path in (folder / MAILING).glob("[0-9]*.html"))
        assert pages == ["1.html", "2.html", "4.html", "6.html"]
        assert '<a href="4.html"><bdi>fr, UTC+1</bdi></a>' in page
        assert "variant <bdi>UTC-5</bdi>" in (folder / MAILING / "6.html").read_text()

    def test_where_all_read_the_same_there_is_no_talk_of_variants(self, folder, transport):
        handed(transport, [make_message(content=newsletter(number)) for number in range(2)], always)
        transport.close()

        assert "ariant" not in (folder / MAILING / "index.html").read_text().split("</style>")[1]

    def test_with_large_messages_fewer_are_listed(self, folder, transport, monkeypatch):
        monkeypatch.setattr(outbox_pages, "LARGEST_PAGES", 1500)
        messages = [make_message(content=newsletter(number), delivery_id=number) for number in range(1, 6)]
        size = len(messages[0].content)
        handed(transport, messages, always)
        transport.close()

        assert f"The first {1500 // size} are listed" in (folder / MAILING / "index.html").read_text()

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("width", [375, 600])
    def test_they_fit_a_telephone_and_the_colours_of_the_reader(
        self, folder, transport, chromium, tmp_path, width, dark
    ):
        handed(transport, [make_message(content=newsletter(number)) for number in range(12)], always)
        transport.close()

        # Whoever wants to look keeps the pictures: MLGROUP_PICTURES names a folder for them.
        pictures = Path(os.environ.get("MLGROUP_PICTURES", tmp_path))
        for name, page in {"outbox": folder / "index.html", "mailing": folder / MAILING / "index.html"}.items():
            target = pictures / f"{name}-{width}-{'dark' if dark else 'light'}.png"
            picture = read_png(chromium.screenshot(page, target, width=width, dark=dark))
            # Nothing reaches over the right edge: the ground is there, in its own colour.
            ground = (0x12, 0x17, 0x1D) if dark else (0xF6, 0xF7, 0xF9)
            assert {picture.pixel(width - 3, y) for y in range(picture.height)} == {ground}
