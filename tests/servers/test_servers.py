"""The servers that other tests rely on do what those tests believe."""

from __future__ import annotations

import os
import smtplib
import ssl
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.servers.certificates import make_certificate
from tests.servers.faults import Phase
from tests.servers.png import read_png

ROOT = Path(__file__).parents[2]
MESSAGE = b"Subject: hello\r\nX-Mark: \xc3\xa9\r\n\r\n.a dot\r\nFrom us\r\n"


class TestSmtpSink:
    def test_it_remembers_envelope_and_content_of_each_accepted_message(self, smtp_sink):
        with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as client:
            client.sendmail("us@example.org", ["a@example.org", "b@example.org"], MESSAGE, ["BODY=8BITMIME"])
            client.sendmail("us@example.org", ["a@example.org"], MESSAGE)

        first, second = smtp_sink.messages()
        assert first.sender == "us@example.org"
        assert first.recipients == ("a@example.org", "b@example.org")
        assert second.content == MESSAGE.replace(b"\r\n", b"\n")
        assert second.parsed["Subject"] == "hello"
        assert smtp_sink.recipients() == {"a@example.org": 2, "b@example.org": 1}

    def test_a_message_that_breaks_off_is_not_among_the_accepted(self, smtp_sink):
        client = smtplib.SMTP(smtp_sink.host, smtp_sink.port)
        client.ehlo()
        client.mail("us@example.org")
        client.rcpt("a@example.org")
        client.docmd("DATA")
        client.send(MESSAGE)
        client.close()
        with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as other:
            other.noop()

        assert smtp_sink.messages() == []

    def test_it_takes_options_of_its_own(self, start_smtp_sink):
        sink = start_smtp_sink("-f", "RCPT")
        with (
            smtplib.SMTP(sink.host, sink.port) as client,
            pytest.raises(smtplib.SMTPRecipientsRefused),
        ):
            client.sendmail("us@example.org", ["a@example.org"], MESSAGE)


class TestFaultySmtp:
    def test_without_faults_it_takes_messages_and_says_so(self, faulty_smtp):
        with smtplib.SMTP(faulty_smtp.host, faulty_smtp.port) as client:
            client.sendmail("us@example.org", ["a@example.org"], MESSAGE)

        (accepted,) = faulty_smtp.accepted
        assert (accepted.sender, accepted.recipients) == ("us@example.org", ("a@example.org",))
        assert accepted.content == MESSAGE
        assert faulty_smtp.commands[-1] == "QUIT"

    def test_a_fault_can_be_for_one_recipient_and_for_one_time(self, faulty_smtp):
        faulty_smtp.on(Phase.RCPT, "450 4.2.0 later", to="a@example.org", times=1)
        with smtplib.SMTP(faulty_smtp.host, faulty_smtp.port) as client:
            client.sendmail("us@example.org", ["a@example.org", "b@example.org"], MESSAGE)
            client.sendmail("us@example.org", ["a@example.org"], MESSAGE)

        assert [taken.recipients for taken in faulty_smtp.accepted] == [
            ("b@example.org",),
            ("a@example.org",),
        ]

    def test_a_message_taken_without_an_answer_is_taken_and_not_accepted(self, faulty_smtp):
        faulty_smtp.on(Phase.DOT, close=True)
        client = smtplib.SMTP(faulty_smtp.host, faulty_smtp.port)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.sendmail("us@example.org", ["a@example.org"], MESSAGE)

        assert len(faulty_smtp.taken) == 1
        assert faulty_smtp.accepted == []

    def test_a_silence_lasts_no_longer_than_the_test(self, start_faulty_smtp):
        server = start_faulty_smtp()
        server.on(Phase.EHLO, stall=True)
        client = smtplib.SMTP(server.host, server.port, timeout=0.2)
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            client.ehlo()
        client.close()

        server.stop()  # joins every conversation, also the stalled one

    def test_starttls_is_trusted_with_its_certificate_and_not_without(self, start_faulty_smtp, certificate):
        server = start_faulty_smtp(tls="starttls", certificate=certificate)
        with smtplib.SMTP(server.host, server.port) as client:
            client.starttls(context=ssl.create_default_context(cafile=certificate))
            client.sendmail("us@example.org", ["a@example.org"], MESSAGE)
        with (
            smtplib.SMTP(server.host, server.port) as client,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            client.starttls(context=ssl.create_default_context())

        assert len(server.accepted) == 1

    @pytest.mark.parametrize("made", [{"days": -1}, {"name": "other.example"}], ids=["expired", "another name"])
    def test_a_certificate_can_be_wrong_in_itself(self, start_faulty_smtp, tmp_path, made):
        certificate = make_certificate(tmp_path, **made)
        server = start_faulty_smtp(tls="implicit", certificate=certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            smtplib.SMTP_SSL(server.host, server.port, context=ssl.create_default_context(cafile=certificate))

    @pytest.mark.parametrize(("password", "code"), [("right", 235), ("wrong", 535)])
    def test_a_login_can_be_asked_for(self, start_faulty_smtp, password, code):
        server = start_faulty_smtp(login=("group", "right"))
        with smtplib.SMTP(server.host, server.port) as client:
            client.ehlo()
            assert client.mail("us@example.org")[0] == 530
            client.user, client.password = "group", password
            if code == 535:
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    client.auth("PLAIN", client.auth_plain)
            else:
                assert client.auth("LOGIN", client.auth_login)[0] == 235
            assert client.mail("us@example.org")[0] == (250 if code == 235 else 530)


class TestPostgres:
    def test_each_test_has_an_empty_database_of_its_own(self, postgres_server):
        with (
            postgres_server.fresh_database() as url,
            psycopg.connect(url.replace("+psycopg", "")) as connection,
        ):
            connection.execute("create table here (n int)")
        with (
            postgres_server.fresh_database() as other_url,
            psycopg.connect(other_url.replace("+psycopg", "")) as connection,
        ):
            found = connection.execute("select count(*) from pg_tables where tablename = 'here'").fetchone()
            assert found == (0,)

    def test_it_keeps_what_it_has_committed_as_in_production(self, postgres_url):
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert connection.execute(f"show {setting}").fetchone() == ("on",)


class TestDovecot:
    def test_mail_can_be_stored_and_read_over_imap(self, dovecot):
        with dovecot.login() as connection:
            connection.append("INBOX", "", None, MESSAGE)
            assert connection.select("INBOX") == ("OK", [b"1"])
            _, ((_, content), _) = connection.fetch("1", "(RFC822)")
        assert content == MESSAGE

    def test_the_next_test_finds_an_empty_mailbox(self, dovecot):
        with dovecot.login() as connection:
            connection.append("INBOX", "", None, MESSAGE)
            connection.create("Archive/2021")
        dovecot.empty()

        with dovecot.login() as connection:
            assert connection.select("INBOX") == ("OK", [b"0"])
            assert len(connection.list()[1]) == 1

    def test_a_wrong_password_is_refused(self, dovecot):
        connection = dovecot.connect()
        with connection, pytest.raises(connection.error):
            connection.login(dovecot.user, "wrong")


PAGE = """<!doctype html>
<style>
  body { margin: 0; background: #ffffff; }
  div { height: 700px; }
  @media (prefers-color-scheme: dark) { body { background: #101820; } }
  @media (max-width: 480px) { div { border-top: 20px solid #ff0000; } }
</style>
<div></div>
"""


class TestChromium:
    @pytest.fixture
    def page(self, tmp_path) -> Path:
        page = tmp_path / "page.html"
        page.write_text(PAGE)
        return page

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("width", [375, 600])
    def test_a_page_looks_as_at_that_width_and_in_that_scheme(self, chromium, page, tmp_path, width, dark):
        picture = read_png(chromium.screenshot(page, tmp_path / "page.png", width=width, dark=dark))

        background = (0x10, 0x18, 0x20) if dark else (255, 255, 255)
        assert picture.width == width
        assert picture.pixel(width - 1, 5) == ((255, 0, 0) if width == 375 else background)
        assert picture.pixel(width // 2, 690) == background

    def test_the_whole_page_is_shown_unless_a_height_is_asked_for(self, chromium, page, tmp_path):
        whole = read_png(chromium.screenshot(page, tmp_path / "whole.png", width=600))
        part = read_png(chromium.screenshot(page, tmp_path / "part.png", width=600, height=300))

        assert (whole.height, part.height) == (700, 300)

    def test_nothing_but_this_machine_can_be_reached(self, chromium, tmp_path):
        with pytest.raises(RuntimeError, match="ERR_NAME_NOT_RESOLVED"):
            chromium.screenshot("http://www.example.org/", tmp_path / "never.png", width=600)


class TestMissingServer:
    """A run on a machine that has no server at all."""

    SUITE = """
        def test_mail(smtp_sink): ...
        def test_more_mail(smtp_sink): ...
        def test_database(postgres_url): ...
        def test_no_server(faulty_smtp): ...
    """

    @pytest.fixture
    def run(self, tmp_path):
        suite = tmp_path / "test_suite.py"
        suite.write_text("\n".join(line.strip() for line in self.SUITE.splitlines()))

        def run(**variables: str) -> subprocess.CompletedProcess[str]:
            environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
            environment.pop("MLGROUP_REQUIRE_SERVERS", None)
            environment |= {"PYTHONPATH": str(ROOT), "MLGROUP_SERVERS_PATH": str(tmp_path / "nothing")}
            options = ["-p", "tests.servers.plugin", "-p", "no:cacheprovider", "-c", os.devnull]
            return subprocess.run(
                [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(suite)],
                check=False,
                env=environment | variables,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
            )

        return run

    def test_its_tests_are_skipped_and_the_end_says_how_to_get_it(self, run):
        done = run()

        assert done.returncode == 0, done.stdout + done.stderr
        *_, postgres, sink, how, _, closing = done.stdout.splitlines()
        assert postgres == "PostgreSQL: 1 test skipped"
        assert sink == "smtp-sink: 2 tests skipped"
        assert "make servers" in how
        assert "1 passed, 3 skipped" in closing

    def test_it_is_a_failure_where_servers_are_required(self, run):
        done = run(MLGROUP_REQUIRE_SERVERS="1")

        assert done.returncode == 1
        assert "1 passed, 3 errors" in done.stdout.splitlines()[-1]
        assert "smtp-sink is not installed: `make servers` installs it" in done.stdout
