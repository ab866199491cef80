"""The smtp transport against a real server, and against one that fails at every phase."""

from __future__ import annotations

import logging
import time
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.delivery.transports.base import NOT_BEGUN
from mlgroup_mail.delivery.transports.smtp import SmtpTransport
from mlgroup_mail.delivery.transports.smtp_letter import letter_of
from mlgroup_mail.delivery.transports.smtp_refusals import refusal_of_us
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer, server_of
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import OutcomeKind
from mlgroup_mail.settings.environment import Settings, Tls
from tests.delivery.transports.messages import CONTENT, always, handed, make_message
from tests.servers.certificates import make_certificate
from tests.servers.faults import Phase

ACCEPTED, REFUSED, DEFERRED, UNCERTAIN = (
    OutcomeKind.ACCEPTED,
    OutcomeKind.REFUSED,
    OutcomeKind.DEFERRED,
    OutcomeKind.UNCERTAIN,
)


def kinds(outcomes) -> list[OutcomeKind]:
    return [outcome.kind for outcome in outcomes]


class TestRealServer:
    def test_each_message_arrives_once_and_as_it_was_made(self, smtp_sink, transport_to):
        transport = transport_to(smtp_sink)
        addresses = [f"reader{number}@example.org" for number in range(20)]
        transport.open()
        outcomes = handed(transport, [make_message(address) for address in addresses], always)
        transport.close()

        assert kinds(outcomes) == [ACCEPTED] * 20
        assert smtp_sink.recipients() == dict.fromkeys(addresses, 1)
        first = smtp_sink.messages()[0]
        assert first.sender == "bounces@example.org"
        assert first.content == CONTENT.replace(b"\r\n", b"\n")

    def test_a_large_message_arrives_whole(self, smtp_sink, transport_to):
        large = CONTENT + b"".join(b"%06d" % line + b"x" * 70 + b"\r\n" for line in range(40_000))
        (outcome,) = handed(transport_to(smtp_sink), [make_message(content=large)], always)

        assert outcome.kind is ACCEPTED
        assert smtp_sink.messages()[0].content == large.replace(b"\r\n", b"\n")

    def test_no_time_is_lost_waiting_for_acknowledgements(self, smtp_sink, transport_to):
        """Two small writes in a row without TCP_NODELAY would cost each message about 40 ms."""
        transport = transport_to(smtp_sink)
        transport.open()
        began = time.monotonic()
        handed(transport, [make_message() for _ in range(100)], always)

        assert time.monotonic() - began < 2.0

    def test_a_server_that_refuses_every_recipient_is_not_asked_to_take_the_message(
        self, start_smtp_sink, transport_to
    ):
        sink = start_smtp_sink("-f", "RCPT")
        outcomes = handed(transport_to(sink), [make_message(), make_message()], always)

        assert kinds(outcomes) == [REFUSED, REFUSED]
        assert sink.messages() == []

    def test_an_answer_that_takes_its_time_is_waited_for(self, start_smtp_sink, transport_to):
        sink = start_smtp_sink("-W", ".:1")
        (outcome,) = handed(transport_to(sink, timeout=0.5, answer_timeout=5.0), [make_message()], always)

        assert outcome.kind is ACCEPTED


class TestFaults:
    def test_one_refused_recipient_leaves_the_others_untouched(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.RCPT, "550 5.1.1 no such person", to="bob@example.org")
        outcomes = handed(
            transport_to(faulty_smtp),
            [make_message("ada@example.org"), make_message("bob@example.org"), make_message("eve@example.org")],
            always,
        )

        assert kinds(outcomes) == [ACCEPTED, REFUSED, ACCEPTED]
        assert [taken.recipients for taken in faulty_smtp.accepted] == [("ada@example.org",), ("eve@example.org",)]
        assert faulty_smtp.connections == 1
        assert faulty_smtp.commands.count("RSET") == 1

    def test_a_server_that_will_not_start_again_is_left(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.RCPT, "550 5.1.1 no such person", times=1).on(Phase.RSET, close=True)
        outcomes = handed(transport_to(faulty_smtp), [make_message(), make_message()], always)

        assert kinds(outcomes) == [REFUSED, ACCEPTED]
        assert faulty_smtp.connections == 2

    @pytest.mark.parametrize("farewell", [{"close": True}, {"reply": "421 4.4.2 idle too long", "close": True}])
    def test_a_connection_that_went_while_idle_costs_no_message_its_try(self, faulty_smtp, transport_to, farewell):
        transport = transport_to(faulty_smtp)
        handed(transport, [make_message()], always)
        faulty_smtp.on(Phase.MAIL, times=1, **farewell)
        (outcome,) = handed(transport, [make_message()], always)

        assert outcome.kind is ACCEPTED
        assert faulty_smtp.connections == 2

    def test_a_connection_that_is_closed_between_windows_is_made_again(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.DOT, "250 2.0.0 Ok, goodbye", close=True)
        transport = transport_to(faulty_smtp)
        for _ in range(3):
            transport.open()
            assert kinds(handed(transport, [make_message()], always)) == [ACCEPTED]
            time.sleep(0.05)

        assert faulty_smtp.connections == 3


class TestWindows:
    def test_the_connection_is_kept_between_windows(self, faulty_smtp, transport_to):
        transport = transport_to(faulty_smtp)
        for _ in range(3):
            transport.open()
            handed(transport, [make_message(), make_message()], always)

        assert faulty_smtp.connections == 1
        assert len(faulty_smtp.accepted) == 6

    def test_what_may_not_begin_any_more_is_handed_back_before_its_first_byte(self, faulty_smtp, transport_to):
        answers = iter([True, False])
        outcomes = handed(
            transport_to(faulty_smtp), [make_message(), make_message("late@example.org")], lambda: next(answers)
        )

        assert kinds(outcomes) == [ACCEPTED, DEFERRED]
        assert (outcomes[1].detail, outcomes[1].begun) == (NOT_BEGUN, False)
        assert not any("late@example.org" in line for line in faulty_smtp.commands)

    def test_the_question_whether_it_may_begin_comes_after_a_slow_connection(self, faulty_smtp, transport_to):
        asked = []
        handed(
            transport_to(faulty_smtp), [make_message()], lambda: bool(asked.append(list(faulty_smtp.commands))) or True
        )

        assert len(asked[0]) == 1
        assert asked[0][0].startswith("EHLO")

    def test_a_message_that_cannot_be_made_stops_the_window_before_its_first_byte(self, faulty_smtp, transport_to):
        def messages():
            yield make_message()
            raise LookupError

        with pytest.raises(LookupError):
            handed(transport_to(faulty_smtp), messages(), always)
        assert faulty_smtp.taken == []


class TestServerAsAWhole:
    """What concerns the server is told once, to whoever runs it, and marks no recipient."""

    @pytest.mark.parametrize(
        ("phase", "fault", "expected"),
        [
            (Phase.GREETING, {"reply": "554 5.3.2 no service for you", "close": True}, (False, "554 5.3.2 no serv")),
            (Phase.GREETING, {"reply": "421 4.3.2 too busy", "close": True}, (True, "421 4.3.2 too busy")),
            (Phase.GREETING, {"close": True}, (True, "broke off the connection")),
            (Phase.GREETING, {"stall": True}, (True, "did not answer within 0.3 s")),
            (Phase.GREETING, {"reply": "SSH-2.0-OpenSSH_9.2"}, (False, "not a mail server")),
            (Phase.EHLO, {"reply": "550 5.7.1 not you"}, (False, "550 5.7.1 not you")),
            (Phase.EHLO, {"reply": "421 4.3.2 closing", "close": True}, (True, "421")),
            (Phase.EHLO, {"close": True}, (True, "broke off")),
            (Phase.EHLO, {"stall": True}, (True, "did not answer")),
        ],
    )
    def test_a_server_that_does_not_let_us_in_is_an_error_of_the_set_up(
        self, faulty_smtp, transport_to, phase, fault, expected
    ):
        temporary, words = expected
        faulty_smtp.on(phase, **fault)
        with pytest.raises(TransportError) as raised:
            transport_to(faulty_smtp, timeout=0.3).open()

        assert words in str(raised.value)
        assert raised.value.temporary is temporary
        assert raised.value.problem.where == f"127.0.0.1:{faulty_smtp.port}"
        assert raised.value.problem.mend

    def test_nobody_listens(self, faulty_smtp, transport_to):
        faulty_smtp.stop()
        with pytest.raises(TransportError, match="cannot be reached: connection refused") as raised:
            transport_to(faulty_smtp).open()
        assert raised.value.temporary

    def test_a_name_that_does_not_exist(self):
        transport = SmtpTransport(SmtpServer(host="mail.invalid", port=25, tls=Tls.NONE, timeout=2.0))
        with pytest.raises(TransportError, match=r"no server of that name|cannot be reached"):
            transport.open()

    def test_a_server_that_goes_in_the_middle_leaves_the_rest_deferred_and_the_next_window_unclaimed(
        self, faulty_smtp, transport_to
    ):
        transport = transport_to(faulty_smtp)
        transport.open()
        faulty_smtp.on(Phase.RCPT, "421 4.3.2 shutting down", close=True)
        faulty_smtp.on(Phase.GREETING, "554 5.3.2 closed for today", close=True)
        outcomes = handed(transport, [make_message(), make_message(), make_message()], always)

        assert kinds(outcomes) == [DEFERRED] * 3
        with pytest.raises(TransportError, match="closed for today"):
            transport.open()
        faulty_smtp.mend()
        transport.open()
        assert kinds(handed(transport, [make_message()], always)) == [ACCEPTED]

    @pytest.mark.parametrize(
        ("phase", "reply"),
        [
            (Phase.MAIL, "550 5.7.60 client does not have permissions to send as this sender"),
            (Phase.MAIL, "530 5.7.0 authentication required"),
            (Phase.RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
            (Phase.RCPT, "530 5.7.57 client not authenticated"),
        ],
    )
    def test_a_server_that_takes_nothing_from_this_sender_refuses_nobody_in_particular(
        self, faulty_smtp, transport_to, phase, reply
    ):
        faulty_smtp.on(phase, reply)
        transport = transport_to(faulty_smtp)
        outcomes = handed(transport, [make_message(), make_message()], always)

        assert kinds(outcomes) == [DEFERRED, DEFERRED]
        assert sum(line.startswith("MAIL") for line in faulty_smtp.commands) == 1
        with pytest.raises(TransportError, match="takes nothing from this sender") as raised:
            transport.open()
        assert reply[:9] in str(raised.value)


class TestTls:
    @pytest.mark.parametrize("tls", ["starttls", "implicit"])
    def test_a_trusted_certificate_lets_mail_through(self, start_faulty_smtp, transport_to, certificate, tls):
        server = start_faulty_smtp(tls=tls, certificate=certificate)
        outcomes = handed(transport_to(server, tls=tls, ca_file=certificate), [make_message(), make_message()], always)

        assert kinds(outcomes) == [ACCEPTED, ACCEPTED]
        assert server.accepted[0].content == CONTENT

    @pytest.mark.parametrize("tls", ["starttls", "implicit"])
    def test_an_unknown_certificate_gets_no_mail(self, start_faulty_smtp, transport_to, certificate, tls):
        server = start_faulty_smtp(tls=tls, certificate=certificate)
        with pytest.raises(TransportError, match="certificate cannot be trusted") as raised:
            transport_to(server, tls=tls).open()
        assert not raised.value.temporary
        assert "MLGROUP_SMTP_CA_FILE" in raised.value.problem.mend

    @pytest.mark.parametrize("made", [{"days": -1}, {"name": "other.example"}], ids=["expired", "another name"])
    def test_nor_does_an_expired_one_or_another_servers(self, start_faulty_smtp, transport_to, tmp_path, made):
        certificate = make_certificate(tmp_path, **made)
        server = start_faulty_smtp(tls="starttls", certificate=certificate)
        with pytest.raises(TransportError, match="certificate cannot be trusted"):
            transport_to(server, tls="starttls", ca_file=certificate).open()

    def test_a_server_without_starttls_is_told_nothing(self, faulty_smtp, transport_to):
        with pytest.raises(TransportError, match="offers no STARTTLS") as raised:
            transport_to(faulty_smtp, tls="starttls", user="group", password="secret-password").open()

        assert not raised.value.temporary
        assert [line.split()[0] for line in faulty_smtp.commands] == ["EHLO"]

    @pytest.mark.parametrize(
        ("phase", "fault"),
        [
            (Phase.STARTTLS, {"reply": "454 4.7.0 not now"}),
            (Phase.STARTTLS, {"close": True}),
            (Phase.HANDSHAKE, {"close": True}),
            (Phase.HANDSHAKE, {"reply": "nonsense", "close": True}),
            (Phase.HANDSHAKE, {"stall": True}),
        ],
    )
    def test_a_tls_that_does_not_come_about_sends_nothing_in_the_open(
        self, start_faulty_smtp, transport_to, certificate, phase, fault
    ):
        server = start_faulty_smtp(tls="starttls", certificate=certificate)
        server.on(phase, **fault)
        with pytest.raises(TransportError):
            transport_to(server, tls="starttls", ca_file=certificate, timeout=0.3).open()
        assert not any(line.startswith("MAIL") for line in server.commands)

    def test_implicit_tls_to_a_server_that_speaks_in_the_open(self, faulty_smtp, transport_to):
        with pytest.raises(TransportError, match="does not speak TLS here"):
            transport_to(faulty_smtp, tls="implicit").open()

    def test_a_file_of_certificates_that_is_none(self, faulty_smtp, transport_to, tmp_path):
        with pytest.raises(TransportError, match="certificates cannot be read"):
            transport_to(faulty_smtp, tls="starttls", ca_file=tmp_path / "missing.pem").open()


class TestLogin:
    LOGIN = ("group@example.org", "right-password")

    def test_the_right_password_lets_mail_through(self, start_faulty_smtp, transport_to, certificate):
        server = start_faulty_smtp(tls="starttls", certificate=certificate, login=self.LOGIN)
        transport = transport_to(
            server, tls="starttls", ca_file=certificate, user=self.LOGIN[0], password=self.LOGIN[1]
        )
        assert kinds(handed(transport, [make_message()], always)) == [ACCEPTED]

    def test_a_wrong_password_is_an_error_of_the_set_up(self, start_faulty_smtp, transport_to, certificate):
        server = start_faulty_smtp(tls="starttls", certificate=certificate, login=self.LOGIN)
        transport = transport_to(
            server, tls="starttls", ca_file=certificate, user=self.LOGIN[0], password="wrong-password"
        )
        with pytest.raises(TransportError, match="refuses the login: 535") as raised:
            transport.open()
        assert not raised.value.temporary
        assert "wrong-password" not in str(raised.value)

    def test_a_login_that_fails_for_now_may_be_tried_later(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(login=self.LOGIN)
        server.on(Phase.AUTH, "454 4.7.0 temporary authentication failure")
        with pytest.raises(TransportError, match="454") as raised:
            transport_to(server, user=self.LOGIN[0], password=self.LOGIN[1]).open()
        assert raised.value.temporary

    def test_a_server_that_knows_no_login(self, faulty_smtp, transport_to):
        with pytest.raises(TransportError, match="offers no login"):
            transport_to(faulty_smtp, user="group", password="secret").open()

    def test_a_password_never_crosses_the_network_in_the_open(self):
        server = SmtpServer(host="mail.example.org", port=25, tls=Tls.NONE, user="group", password="secret-password")
        with pytest.raises(TransportError, match="in the open"):
            SmtpTransport(server).open()

    def test_a_password_is_not_shown_with_the_settings(self):
        server = SmtpServer(host="mail.example.org", port=25, user="group", password="secret-password")
        assert "secret-password" not in repr(server)


class TestSettings:
    def test_the_server_is_the_one_that_the_settings_name(self, monkeypatch):
        for name, value in {
            "HOST": "relay.example",
            "PORT": "587",
            "USER": "group",
            "PASSWORD": "secret-password",
            "TLS": "implicit",
            "TIMEOUT": "7",
        }.items():
            monkeypatch.setenv(f"MLGROUP_SMTP_{name}", value)

        assert server_of(Settings()) == SmtpServer(
            host="relay.example",
            port=587,
            user="group",
            password="secret-password",
            tls=Tls.IMPLICIT,
            timeout=7.0,
        )


class TestPrivacy:
    """Names and addresses stay out of logs and outcomes."""

    @pytest.mark.parametrize(
        "reply",
        [
            "550 5.1.1 <Anna.Muller@example.org>: Recipient address rejected",
            "550 5.1.1 user anna.muller is unknown here",
            "550-5.1.1 The email account anna.muller@example.org\r\n550 5.1.1 does not exist",
        ],
    )
    def test_a_server_that_names_the_recipient_is_quoted_without(self, faulty_smtp, transport_to, caplog, reply):
        faulty_smtp.on(Phase.RCPT, reply)
        with caplog.at_level(logging.DEBUG):
            (outcome,) = handed(transport_to(faulty_smtp), [make_message("anna.muller@example.org")], always)

        assert outcome.detail.startswith("550 5.1.1")
        for text in (outcome.detail, caplog.text):
            assert "muller" not in text.lower()

    @pytest.mark.parametrize(
        "said",
        [
            "User unknown: anna.muller.",
            "no mailbox for anna.muller...",
            "sorry, .Anna.Muller is gone",
            "/var/mail/anna.muller: no such file",
            "anna=2Emuller at example.org is unknown",
            "anna%2emuller is unknown",
            "anna.muller+news is unknown",
            f"{'x' * 183} anna.muller is unknown",
        ],
    )
    @pytest.mark.parametrize("address", ["anna.muller@example.org", "anna.muller+news@example.org"])
    def test_the_name_of_a_mailbox_is_masked_however_it_is_written(self, faulty_smtp, transport_to, said, address):
        """At the end of a sentence, in hexadecimal, without its tag, and where a long answer is cut."""
        faulty_smtp.on(Phase.RCPT, f"550 5.1.1 {said}")
        (outcome,) = handed(transport_to(faulty_smtp), [make_message(address)], always)
        assert "a…" in outcome.detail.lower()
        for part in ("nna", "mul"):
            assert part not in outcome.detail.lower()

    def test_a_word_that_only_holds_the_name_of_a_mailbox_stays(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.RCPT, "550 5.1.1 see post.example.org about postmen and a.post.b")
        (outcome,) = handed(transport_to(faulty_smtp), [make_message("post@example.org")], always)
        assert outcome.detail.startswith("550 5.1.1 see post.example.org about postmen and a.post.b")

    def test_an_accepted_message_leaves_the_servers_own_words(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.DOT, "250 2.0.0 Ok: queued as 4F2A")
        (outcome,) = handed(transport_to(faulty_smtp), [make_message()], always)
        assert outcome.detail == "250 2.0.0 Ok: queued as 4F2A"


class TestWire:
    @pytest.mark.parametrize(
        "content",
        [
            CONTENT + b"\n.\r\nMAIL FROM:<evil@example.org>\r\n",
            CONTENT + b"\r.\r\nMAIL FROM:<evil@example.org>\r\n",
            b"Subject: x\n\nunix\n",
        ],
    )
    def test_a_message_that_could_forge_a_second_one_is_never_begun(self, faulty_smtp, transport_to, content):
        (outcome,) = handed(transport_to(faulty_smtp), [make_message(content=content)], always)

        assert outcome.kind is REFUSED
        assert "line end" in outcome.detail
        assert not any(line.startswith("MAIL") for line in faulty_smtp.commands)

    @pytest.mark.parametrize(
        "address", ["ada@example.org>\r\nRCPT TO:<bob@example.org", "a da@example.org", "ada@example.org\x00"]
    )
    def test_an_address_cannot_carry_a_command(self, faulty_smtp, transport_to, address):
        (outcome,) = handed(transport_to(faulty_smtp), [make_message(address)], always)

        assert outcome.kind is REFUSED
        assert faulty_smtp.taken == []

    def test_an_odd_address_is_written_as_it_is(self, faulty_smtp, transport_to):
        """smtplib's own `rcpt` would write to `a@example.org` here, who is somebody else."""
        handed(transport_to(faulty_smtp), [make_message("a,b@example.org")], always)
        assert "RCPT TO:<a,b@example.org>" in faulty_smtp.commands

    def test_letters_outside_ascii_need_a_server_that_takes_them(self, faulty_smtp, transport_to):
        outcomes = handed(transport_to(faulty_smtp), [make_message("zoë@example.org"), make_message()], always)
        assert kinds(outcomes) == [REFUSED, ACCEPTED]

    def test_the_size_is_told_beforehand(self, faulty_smtp, transport_to):
        handed(transport_to(faulty_smtp), [make_message()], always)
        assert f"MAIL FROM:<bounces@example.org> SIZE={len(CONTENT)}" in faulty_smtp.commands

    @given(lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b""))))
    def test_dots_are_doubled_so_that_a_reader_gets_back_what_was_written(self, lines):
        content = b"\r\n".join(lines)
        whole = letter_of(make_message(content=content), ()).content

        read = [line.removeprefix(b".") for line in whole.split(b"\r\n")]
        assert whole.endswith(b"\r\n")
        assert b"." not in whole.split(b"\r\n")
        assert b"\r\n".join(read) == (content if content.endswith(b"\r\n") else content + b"\r\n")

    def test_another_parser_reads_what_arrived(self, faulty_smtp, transport_to):
        handed(transport_to(faulty_smtp), [make_message()], always)
        parsed = message_from_bytes(faulty_smtp.accepted[0].content, policy=policy.default)
        assert parsed["Subject"] == "News"
        assert parsed.get_content().splitlines() == ["Dear Ada,", ".hidden by its dot", "From here on"]


@pytest.mark.parametrize(
    ("answer", "ours"),
    [
        (b"5.7.1 <a@example.org>: Relay access denied", True),
        (b"5.7.64 TenantAttribution; Relay Access Denied", True),
        (b"550 relaying denied", True),
        (b"5.7.54 SMTP; Unable to relay recipient in non-accepted domain", True),
        (b"5.1.1 <relay@office.example>: Recipient address rejected: User unknown", False),
        (b"host mail-relay.office.example said: no such user", False),
        (b"5.1.1 relaying denied for unknown user", False),
    ],
)
def test_a_server_that_forwards_nothing_is_told_from_one_that_knows_no_such_mailbox(answer: bytes, ours: bool) -> None:
    assert refusal_of_us(550, answer) is ours
