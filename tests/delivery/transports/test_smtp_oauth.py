"""Logging in to Exchange Online with tokens, against a login service and a mail server that check them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mlgroup_mail.delivery.transports.oauth import REFUSALS, SCOPE, OAuthClient, TokenSource, xoauth2
from mlgroup_mail.delivery.transports.smtp_server import server_of
from mlgroup_mail.errors import ConfigurationError, RefusedByServerError, TransportError
from mlgroup_mail.model import OutcomeKind
from mlgroup_mail.settings.environment import Settings
from tests.delivery.transports.messages import always, handed, make_message
from tests.servers.certificates import make_certificate
from tests.servers.entra import CLIENT_ID, SECRET, TENANT, Entra
from tests.servers.faults import Phase

MAILBOX = "group@example.org"


def client_of(entra: Entra, **more) -> OAuthClient:
    return OAuthClient(**({"tenant": TENANT, "client_id": CLIENT_ID, "secret": SECRET, "authority": entra.url} | more))


@pytest.fixture
def server(start_faulty_smtp, entra, certificate):
    """A mail server that takes the first token that the login service gives."""
    tokens = {MAILBOX: "token-1-not-to-be-shown"}
    return start_faulty_smtp(tls="starttls", certificate=certificate, tokens=tokens)


@pytest.fixture
def transport(transport_to, server, entra, certificate):
    return transport_to(server, tls="starttls", ca_file=certificate, user=MAILBOX, oauth=client_of(entra))


def test_the_string_is_the_one_of_the_protocol():
    """Microsoft's own example in "Authenticate an IMAP, POP or SMTP connection using OAuth"."""
    assert xoauth2("test@contoso.example", "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA") == (
        "user=test@contoso.example\x01auth=Bearer EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA\x01\x01"
    )


class TestLogin:
    def test_a_token_lets_mail_through(self, server, transport, entra):
        (outcome,) = handed(transport, [make_message()], always)

        assert outcome.kind is OutcomeKind.ACCEPTED
        (form,) = entra.requests
        assert (form["grant_type"], form["scope"]) == ("client_credentials", SCOPE)

    def test_one_token_serves_many_connections(self, server, transport_to, entra, certificate):
        transport = transport_to(
            server, tls="starttls", ca_file=certificate, user=MAILBOX, oauth=client_of(entra), connections=3
        )
        for _ in range(3):
            transport.open()
            handed(transport, [make_message() for _ in range(6)], always)

        assert server.logins == [True, True, True]
        assert len(entra.tokens) == 1

    def test_a_token_that_ran_out_is_renewed_and_costs_nobody_a_try(self, server, transport, entra):
        handed(transport, [make_message()], always)
        server.tokens[MAILBOX] = "token-2-not-to-be-shown"
        server.on(Phase.MAIL, "421 4.4.2 your hour is over", close=True, times=1)
        (outcome,) = handed(transport, [make_message()], always)

        assert outcome.kind is OutcomeKind.ACCEPTED
        assert server.logins == [True, False, True]
        assert len(entra.tokens) == 2

    def test_one_that_is_about_to_run_out_is_not_used(self, server, transport, entra):
        entra.expires_in = 60
        transport.open()
        server.tokens[MAILBOX] = "token-2-not-to-be-shown"
        server.on(Phase.MAIL, "421 4.4.2 closing", close=True)
        handed(transport, [make_message()], always)
        server.mend()
        transport.open()

        assert server.logins == [True, True], "the old one was not even tried"

    def test_a_mailbox_that_the_application_was_not_given(self, server, transport, entra):
        server.tokens.clear()
        server.tokens["another@example.org"] = "token-1-not-to-be-shown"
        with pytest.raises(RefusedByServerError, match=r"refuses the login: 535 5\.7\.3") as raised:
            transport.open()

        assert not raised.value.temporary
        assert server.logins == [False, False], "once with the token it had, once with a new one, and no more"
        assert len(entra.tokens) == 2

    def test_smtp_auth_that_is_switched_off(self, server, transport):
        server.on(Phase.AUTH, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled")
        with pytest.raises(RefusedByServerError) as raised:
            transport.open()
        assert "Set-CASMailbox" in raised.value.problem.mend

    def test_a_server_that_knows_no_tokens(self, start_faulty_smtp, transport_to, entra, certificate):
        server = start_faulty_smtp(tls="starttls", certificate=certificate, login=("group", "password"))
        transport = transport_to(server, tls="starttls", ca_file=certificate, user=MAILBOX, oauth=client_of(entra))
        with pytest.raises(TransportError, match="no login by OAuth"):
            transport.open()

    def test_a_token_never_crosses_the_network_in_the_open(self, transport_to, server, entra):
        class Elsewhere:
            host, port = "mail.example.org", 587

        with pytest.raises(TransportError, match="a token would cross the network in the open"):
            transport_to(Elsewhere, user=MAILBOX, oauth=client_of(entra)).open()
        assert entra.requests == []


class TestTokens:
    @pytest.mark.parametrize(("code", "told"), [(code, words) for code, (words, _) in REFUSALS.items()])
    def test_each_reason_of_the_service_is_told_in_our_words(self, entra, code, told):
        entra.refusal = code
        with pytest.raises(RefusedByServerError) as raised:
            TokenSource(client_of(entra)).token()

        assert f"{told} ({code})" in str(raised.value)
        assert raised.value.problem.mend
        assert "Trace ID" not in str(raised.value)

    def test_a_reason_that_nobody_knows_is_named(self, entra):
        entra.refusal = "AADSTS123456"
        with pytest.raises(RefusedByServerError, match="AADSTS123456") as raised:
            TokenSource(client_of(entra)).token()
        assert CLIENT_ID not in str(raised.value)

    def test_a_wrong_secret(self, entra):
        with pytest.raises(RefusedByServerError, match="client secret is wrong") as raised:
            TokenSource(client_of(entra, secret="something-else")).token()
        assert "something-else" not in str(raised.value)

    def test_a_tenant_that_does_not_exist(self, entra):
        with pytest.raises(RefusedByServerError, match="no such tenant") as raised:
            TokenSource(client_of(entra, tenant="nobody.example")).token()
        assert "MLGROUP_SMTP_OAUTH_TENANT" in raised.value.problem.mend

    @pytest.mark.parametrize("how", ["down", "busy", "gone"])
    def test_a_service_that_does_not_answer_may_do_so_later(self, entra, how):
        entra.down = how == "down"
        entra.refusal = "AADSTS90033" if how == "busy" else None
        source = TokenSource(client_of(entra))
        if how == "gone":
            entra.stop()
        with pytest.raises(TransportError) as raised:
            source.token()
        assert raised.value.temporary
        assert not isinstance(raised.value, RefusedByServerError)

    def test_a_service_that_nobody_vouches_for_gets_no_secret(self, entra, monkeypatch):
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(TransportError, match="certificate cannot be trusted"):
            TokenSource(client_of(entra)).token()
        assert entra.requests == []

    def test_a_certificate_proves_it_too(self, entra, tmp_path):
        path = rsa_certificate(tmp_path)
        assert TokenSource(client_of(entra, secret="", certificate=path)).token() == entra.tokens[0]
        (form,) = entra.requests
        assert "client_secret" not in form
        assert form["client_assertion"].count(".") == 2

    @pytest.mark.parametrize("wrong", ["missing", "text", "without-key", "ec"])
    def test_a_file_that_is_no_such_certificate(self, entra, tmp_path, wrong):
        path = tmp_path / "application.pem"
        whole = rsa_certificate(tmp_path).read_text() if wrong == "without-key" else ""
        if wrong == "text":
            path.write_text("not a certificate")
        elif wrong == "without-key":
            path.write_text(whole[whole.index("-----BEGIN CERT") :])
        elif wrong == "ec":
            path = make_certificate(tmp_path)
        else:
            path.unlink(missing_ok=True)
        with pytest.raises(ConfigurationError, match="certificate") as raised:
            TokenSource(client_of(entra, secret="", certificate=path)).token()
        assert raised.value.problem.where == str(path)

    def test_nothing_secret_is_logged_or_shown(self, server, transport, entra, caplog):
        with caplog.at_level(logging.DEBUG):
            handed(transport, [make_message()], always)
            server.tokens.clear()
            server.on(Phase.MAIL, "421 4.4.2 closing", close=True)
            handed(transport, [make_message()], always)
        assert entra.tokens
        for secret in (SECRET, *entra.tokens):
            assert secret not in caplog.text
            assert secret not in repr(client_of(entra))


def rsa_certificate(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mlgroup-mail")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    path = folder / "application.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path


WHOLE = {
    "MLGROUP_SMTP_USER": MAILBOX,
    "MLGROUP_SMTP_OAUTH_TENANT": TENANT,
    "MLGROUP_SMTP_OAUTH_CLIENT_ID": CLIENT_ID,
    "MLGROUP_SMTP_OAUTH_CLIENT_SECRET": SECRET,
}


class TestSettings:
    def settings(self, monkeypatch, **more: str) -> Settings:
        for name, value in (WHOLE | more).items():
            monkeypatch.setenv(name, value)
        return Settings()

    def test_they_name_the_application(self, monkeypatch):
        server = server_of(self.settings(monkeypatch))
        assert server.oauth == OAuthClient(tenant=TENANT, client_id=CLIENT_ID, secret=SECRET)
        assert SECRET not in repr(server)

    @pytest.mark.parametrize("missing", WHOLE)
    def test_half_of_them_is_an_error_that_names_the_other_half(self, monkeypatch, missing):
        with pytest.raises(ConfigurationError, match=f"{missing}.* (is|are) missing"):
            server_of(self.settings(monkeypatch, **{missing: ""}))

    def test_a_password_besides_is_one_login_too_many(self, monkeypatch):
        with pytest.raises(ConfigurationError, match="only one of them"):
            server_of(self.settings(monkeypatch, MLGROUP_SMTP_PASSWORD="secret-password"))

    def test_exchange_online_takes_three_connections(self, monkeypatch):
        monkeypatch.setenv("MLGROUP_SMTP_PROFILE", "exchange-online")
        assert server_of(Settings()).connections == 3
        monkeypatch.setenv("MLGROUP_SMTP_CONNECTIONS", "2")
        assert server_of(Settings()).connections == 2
        monkeypatch.setenv("MLGROUP_SMTP_CONNECTIONS", "10")
        assert server_of(Settings()).connections == 3
        monkeypatch.delenv("MLGROUP_SMTP_PROFILE")
        assert server_of(Settings()).connections == 10
