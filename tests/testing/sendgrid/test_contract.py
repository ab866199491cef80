"""What fake and real service have in common: asked of the fake always, of the real one where there is a key.

The real one is asked in its sandbox mode only: it checks each request, and nobody gets mail. MLGROUP_TEST_SENDGRID_KEY
is a key with the scope `mail.send`, MLGROUP_TEST_SENDGRID_FROM an address that the account may write from.
"""

import http.client
import json
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mlgroup_mail.testing.sendgrid import fake_sendgrid
from tests.testing.plugin import real_sendgrid_key
from tests.testing.sendgrid.raw import PATH, WHOLE, Reply, exchange, first, whole

SENDER = os.environ.get("MLGROUP_TEST_SENDGRID_FROM", "news@example.org")
REAL = os.environ.get("MLGROUP_TEST_SENDGRID_URL", "https://api.sendgrid.com")
SANDBOX = {"sandbox_mode": {"enable": True}}

Ask = Callable[[Any], Reply]


@pytest.fixture(params=["fake", "real"])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Send a request in sandbox mode."""
    if request.param == "real":
        key = real_sendgrid_key()
        yield lambda document: _ask(REAL, key, document)
        return
    with fake_sendgrid() as fake:
        yield lambda document: _ask(fake.url, fake.key, document)
        assert fake.accepted == []


def _ask(url: str, key: str, document: dict[str, Any]) -> Reply:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=60)
    document = document | {"from": {"email": SENDER}, "mail_settings": SANDBOX}
    try:
        return exchange(connection, "POST", PATH, json.dumps(document).encode(), key=key)
    finally:
        connection.close()


def people(count: int) -> list[dict[str, Any]]:
    return [{"to": [{"email": f"person{number}@example.com"}]} for number in range(count)]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(WHOLE, id="with everything that we use"),
        pytest.param(whole(personalizations=people(1000)), id="a thousand recipients"),
        pytest.param(first(substitutions={"qzname01": "x" * 9992}), id="10,000 bytes of substitutions"),
        pytest.param(
            whole(
                tracking_settings={
                    "click_tracking": {"enable": False, "enable_text": False},
                    "open_tracking": {"enable": False},
                    "subscription_tracking": {"enable": False},
                }
            ),
            id="tracking off",
        ),
        pytest.param(
            whole(attachments=[{"content": "eA==", "filename": "a.ics", "type": "text/calendar"}]), id="an attachment"
        ),
    ],
)
def test_a_good_request_is_answered_200_in_the_sandbox(ask: Ask, document: dict[str, Any]) -> None:
    reply = ask(document)
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        pytest.param(whole(personalizations=people(1001)), None, id="a thousand and one recipients"),
        pytest.param(whole(personalizations=people(2) + people(1)), None, id="an address twice"),
        pytest.param(first(cc=[{"email": "ana@office.example"}]), "personalizations.0", id="to and copy"),
        pytest.param(first(to=[]), "personalizations.0.to", id="nobody"),
        pytest.param(first(to=[{"email": "nobody"}]), "personalizations.0.to.0.email", id="no address"),
        pytest.param(
            first(substitutions={"qzname01": "x" * 10_000}), "personalizations.0.substitutions", id="substitutions"
        ),
        pytest.param(first(custom_args={"delivery": "x" * 10_000}), None, id="arguments"),
        pytest.param(first(headers={"Subject": "x"}), None, id="a header of the service"),
        pytest.param(whole(subject=None), "subject", id="no subject"),
        pytest.param(whole(content=WHOLE["content"][::-1]), None, id="html before text"),
        pytest.param(
            whole(attachments=[{"content": "eA==", "filename": "a.ics", "type": "text/calendar; method=PUBLISH"}]),
            None,
            id="a type with parameters",
        ),
    ],
)
def test_a_bad_request_is_answered_400_and_named(ask: Ask, document: dict[str, Any], field: str | None) -> None:
    reply = ask(document)
    assert reply.status == 400
    assert all(error["message"] for error in reply.document["errors"])
    assert field is None or field in reply.fields


def test_a_wrong_key_is_answered_401() -> None:
    with fake_sendgrid() as fake:
        assert _ask(fake.url, "SG.wrong.key", WHOLE).status == 401


def test_a_wrong_key_is_answered_401_by_the_real_service() -> None:
    real_sendgrid_key()
    assert _ask(REAL, "SG.wrong.key", WHOLE).status == 401
