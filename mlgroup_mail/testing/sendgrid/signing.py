"""The signature of the Event Webhook: ECDSA over P-256 and SHA-256, of the timestamp and the raw body.

Source: the service's page "Event Webhook Security Features"; the same as `sendgrid.helpers.eventwebhook` verifies.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedBody:
    """A body as it goes over the wire, with its headers."""

    body: bytes
    headers: Mapping[str, str]


class Signer:
    """A key pair."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """As the service shows it: the DER SubjectPublicKeyInfo in base64, without PEM's first and last line."""
        shown = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(shown).decode()

    def sign(self, body: bytes, *, at: float | None = None) -> SignedBody:
        """Sign a body `at` a time in seconds since 1970; now, unless told."""
        timestamp = str(int(time.time() if at is None else at))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return SignedBody(
            body=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "SendGrid Event API",
                SIGNATURE: base64.b64encode(signature).decode(),
                TIMESTAMP: timestamp,
            },
        )
