"""A signature is SendGrid's, of exactly these bytes and this timestamp, by any of the keys; else it is none."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from sendgrid import EventWebhook

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.testing.sendgrid.signing import SIGNATURE, TIMESTAMP, Signer
from mlgroup_mail.web.webhook_signature import WebhookKeys

# The vector of SendGrid's own clients: sendgrid-python, test/unit/test_eventwebhook.py (MIT); docs/sendgrid-events.md.
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eN"
    "Ec6wEA3F+g=="
)
GIVEN = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
AT = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnp'
    b'YbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5'
    b'FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
OTHER = Signer()


def signs(body: bytes = BODY, *, signature: str = GIVEN, timestamp: str = AT, keys: tuple[str, ...] = (KEY,)) -> bool:
    return WebhookKeys(keys).signed(body, signature=signature, timestamp=timestamp)


def test_the_vector_of_sendgrid_s_own_clients_is_understood_years_later() -> None:
    assert signs()
    assert signs(keys=(OTHER.public_key, KEY)), "whichever of the keys it is"
    assert EventWebhook(KEY).verify_signature(BODY.decode(), GIVEN, AT), "the client says the same"


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY.rstrip()},
        {"body": BODY.replace(b"dropped", b"bounced")},
        {"body": b""},
        {"timestamp": "1600112503"},
        {"timestamp": ""},
        {"timestamp": "0" * 5000},
        {"timestamp": "١٦٠٠١١٢٥٠٢"},
        {"signature": ""},
        {"signature": "="},
        {"signature": GIVEN[:-3]},
        {"signature": GIVEN + "AAAA"},
        {"signature": f" {GIVEN}"},
        {"signature": "%%%" + GIVEN},
        {"signature": "é" * 96},
        {"signature": "A" * 100_000},
        {"signature": base64.b64encode(b"\x30\x06\x02\x01\x00\x02\x01\x00").decode()},
        {"keys": (OTHER.public_key,)},
    ],
)
def test_whatever_else_comes_is_not_signed(changed: dict[str, object]) -> None:
    assert not signs(**changed)  # type: ignore[arg-type]


def test_bytes_are_signed_and_no_text() -> None:
    for body in (b"\xff\xfe[]", "[“é”]\r\n".encode(), b'{"a": "\\u00e9"}', b"\x00"):
        signed = OTHER.sign(body, at=1)
        assert signs(
            body, signature=signed.headers[SIGNATURE], timestamp=signed.headers[TIMESTAMP], keys=(OTHER.public_key,)
        )


@given(signature=st.text(max_size=150), timestamp=st.text(max_size=30), body=st.binary(max_size=50))
def test_no_headers_break_it(signature: str, timestamp: str, body: bytes) -> None:
    assert not signs(body, signature=signature, timestamp=timestamp)


def der(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    "key",
    [
        "no key",
        "",
        KEY[:-8],
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" + "A" * 86 + "==",
        der(ec.generate_private_key(ec.SECP384R1()).public_key()),
        der(rsa.generate_private_key(65537, 2048).public_key()),
    ],
)
def test_what_is_no_such_key_is_said_before_anything_is_served(key: str) -> None:
    with pytest.raises(ConfigurationError, match="number 2 of the keys") as refused:
        WebhookKeys([KEY, key])
    assert refused.value.problem.where == "MLGROUP_SENDGRID_WEBHOOK_KEYS"
    assert not key or key not in str(refused.value)
