"""What the account says about itself, and what its key may not do."""

import pytest

from mlgroup_mail.testing.sendgrid import FakeSendGrid
from tests.testing.sendgrid.raw import Client, whole


@pytest.mark.parametrize("key", ["", "SG.another", "SG.änders".encode().decode("latin-1")])
def test_without_the_key_nothing_works(fake: FakeSendGrid, key: str) -> None:
    client = Client(fake, key=key)
    assert client.send().status == 401
    assert client.ask("GET", "/v3/scopes").status == 401
    assert fake.accepted == []
    client.close()


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("mail.send", "POST", "/v3/mail/send"),
        ("tracking_settings.read", "GET", "/v3/tracking_settings/click"),
        ("whitelabel.read", "GET", "/v3/whitelabel/domains"),
        ("sender_verification_eligible", "GET", "/v3/verified_senders"),
        ("suppression.read", "GET", "/v3/suppression/bounces"),
        ("suppression.delete", "DELETE", "/v3/suppression/bounces/a@b.example"),
        ("suppression.read", "GET", "/v3/asm/suppressions/global/a@b.example"),
        ("asm.groups.suppressions.create", "POST", "/v3/asm/suppressions/global"),
        ("asm.groups.suppressions.delete", "DELETE", "/v3/asm/suppressions/global/a@b.example"),
        ("asm.groups.read", "GET", "/v3/asm/groups"),
        ("user.webhooks.event.settings.read", "GET", "/v3/user/webhooks/event/settings/all"),
    ],
)
def test_a_key_without_the_scope_is_forbidden(
    fake: FakeSendGrid, client: Client, scope: str, method: str, path: str
) -> None:
    assert client.ask(method, path, {}).status != 403
    fake.account.scopes.remove(scope)
    assert client.ask(method, path, {}).status == 403


def test_the_key_says_what_it_may(fake: FakeSendGrid, client: Client) -> None:
    fake.account.scopes = ["mail.send"]
    assert client.ask("GET", "/v3/scopes").document == {"scopes": ["mail.send"]}


def test_tracking_is_told_together_and_one_by_one(fake: FakeSendGrid, client: Client) -> None:
    fake.account.tracking["subscription"]["enabled"] = True
    together = client.ask("GET", "/v3/tracking_settings").document["result"]
    assert {each["name"]: each["enabled"] for each in together}["subscription"] is True
    assert client.ask("GET", "/v3/tracking_settings/subscription").document["enabled"] is True
    assert client.ask("GET", "/v3/tracking_settings/nothing").status == 404


def test_senders_and_domains_are_told_with_what_was_found(fake: FakeSendGrid, client: Client) -> None:
    fake.account.domains = {"example.org": True, "example.net": False}
    fake.account.senders = {"news@office.example": False}
    domains = client.ask("GET", "/v3/whitelabel/domains").document
    assert [(each["domain"], each["valid"]) for each in domains] == [("example.org", True), ("example.net", False)]
    assert {record["valid"] for record in domains[1]["dns"].values()} == {False}
    (sender,) = client.ask("GET", "/v3/verified_senders").document["results"]
    assert (sender["from_email"], sender["verified"]) == ("news@office.example", False)


def test_a_sender_that_is_not_the_accounts_own_is_forbidden_where_that_is_checked(
    fake: FakeSendGrid, client: Client
) -> None:
    foreign = whole(**{"from": {"email": "news@office.example"}})
    assert client.send(foreign).status == 202
    fake.account.checks_sender = True
    reply = client.send(foreign)
    assert (reply.status, reply.fields) == (403, ["from"])
    assert client.send(whole(**{"from": {"email": "news@mail.example.org"}})).status == 202
    fake.account.senders["news@office.example"] = True
    assert client.send(foreign).status == 202


def test_the_account_can_be_set_from_outside(fake: FakeSendGrid, client: Client) -> None:
    assert client.ask("PUT", "/fake/account", {"scopes": ["mail.send"], "checks_sender": True}).status == 200
    assert client.ask("GET", "/v3/scopes").document == {"scopes": ["mail.send"]}
    assert client.ask("PUT", "/fake/account", {"key": "x"}).status == 400
    assert client.ask("PUT", "/fake/refuses", ["Bo@ministry.example"]).status == 200
    assert client.send().fields == ["personalizations.1.to.0.email"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v3/nothing", 404),
        ("GET", "/v3/mail/send", 405),
        ("POST", "/v3/scopes", 405),
        ("PUT", "/v3/suppression/bounces", 405),
        ("GET", "/v3/suppression/nothing", 404),
        ("DELETE", "/v3/suppression/unsubscribes", 405),
        ("PUT", "/v3/asm/suppressions/global", 405),
    ],
)
def test_other_pages_and_methods_are_refused(client: Client, method: str, path: str, status: int) -> None:
    assert client.ask(method, path, {}).status == status
