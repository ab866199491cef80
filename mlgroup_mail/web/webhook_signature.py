"""Whether a request is SendGrid's: ECDSA over P-256 and SHA-256, of the timestamp and the raw body.

Source: the service's page "Getting Started with the Event Webhook Security Features". Checked here and not by the
`sendgrid` package, whose helper takes the body as text and raises for base64 that is none.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mlgroup_mail.errors import ConfigurationError

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

_ALGORITHM = ec.ECDSA(Prehashed(hashes.SHA256()))
_LONGEST = 200
"""Characters of either header: a signature has 96 or so, a timestamp ten."""


class WebhookKeys:
    """The public keys that a request may be signed for: one for each webhook of the account, and the next ones."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` as SendGrid shows them: DER in base64. Raises ConfigurationError where one is not a P-256 key."""
        self._keys = [_key(text, number) for number, text in enumerate(keys, start=1)]

    def signed(self, body: bytes, *, signature: str, timestamp: str) -> bool:
        """Whether one of them signs it. `signature` and `timestamp` are the headers as they came, "" for a missing one.

        A time long past is no reason against it: what was not taken is repeated for a day, with the time of the first
        try, and to take it in twice changes nothing.
        """
        given = _base64(signature)
        digest = hashlib.sha256(timestamp.encode(errors="replace"))
        digest.update(body)
        # Each is asked, whatever came before: the time tells nobody which.
        answers = [_fits(key, given, digest.digest()) for key in self._keys]
        return bool(timestamp) and len(timestamp) <= _LONGEST and any(answers)


def _fits(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    try:
        key.verify(signature, digest, _ALGORITHM)
    except InvalidSignature:
        return False
    return True


def _base64(text: str) -> bytes:
    """What the text stands for; nothing, which no key signs, where it is not base64."""
    try:
        return base64.b64decode(text[: _LONGEST + 1], validate=True)
    except (binascii.Error, ValueError):
        return b""


def _key(text: str, number: int) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, binascii.Error):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError(
            f"number {number} of the keys is not a public key of SendGrid's Event Webhook",
            where="MLGROUP_SENDGRID_WEBHOOK_KEYS",
            mend="Copy the verification key that SendGrid shows with the webhook (Settings, Mail Settings, Event "
            "Webhooks): one line that begins with MFkwEwYH. Several stand apart by commas.",
        )
    return key
