"""Opt-out tokens: short texts that only we can make, that name a person and a topic and hold no address.

A token is `version | contact id | mailing id | topic hash` and an HMAC-SHA-256 cut to 128 bits (RFC 2104, section
5), in base32: upper and lower case are the same, so that it survives a subject line typed by hand. Tokens never
expire: an opt-out link in a mail of years ago still works. Keys rotate; old ones go on being understood.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS

_FORM = struct.Struct(">BQQ4s")
_VERSION = 1
_MAC_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenContent:
    """What a valid token says."""

    contact_id: int
    mailing_id: int
    topic: str


class OptOutTokens:
    """Makes and reads tokens under the project's secret keys."""

    def __init__(self, keys: Sequence[str], *, topics: Iterable[str]) -> None:
        """`keys`: newest first, at least one; the first one signs. `topics`: those a token may name."""
        if not keys:
            raise ConfigurationError(
                "there is no secret key, so opt-out links cannot be made",
                where="MLGROUP_SECRET_KEYS",
                mend="Put one into .env; `mlgroup-mail init` makes such a file, or: "
                'python -c "import secrets; print(secrets.token_hex(32))"',
            )
        self._keys = [key.encode() for key in keys]
        self._topics = {_topic_hash(topic): topic for topic in (ALL_TOPICS, *topics)}

    def make(self, content: TokenContent) -> str:
        """The token: 60 letters and digits in lower case."""
        body = _FORM.pack(_VERSION, content.contact_id, content.mailing_id, _topic_hash(content.topic))
        return base64.b32encode(body + _mac(self._keys[0], body)).decode().rstrip("=").lower()

    def read(self, token: str) -> TokenContent | None:
        """What a token says, or None where it is not ours. Takes the same time for every key."""
        text = token.strip().upper()
        try:
            raw = base64.b32decode(text + "=" * (-len(text) % 8))
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[: _FORM.size], raw[_FORM.size :]
        # The last letter has spare bits: only the spelling that `make` gives is ours.
        if len(mac) != _MAC_BYTES or base64.b32encode(raw).decode().rstrip("=") != text:
            return None
        matches = [hmac.compare_digest(_mac(key, body), mac) for key in self._keys]
        if not any(matches):
            return None
        version, contact_id, mailing_id, topic_hash = _FORM.unpack(body)
        topic = self._topics.get(topic_hash)
        if version != _VERSION or topic is None:
            return None
        return TokenContent(contact_id=contact_id, mailing_id=mailing_id, topic=topic)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"opt-out" + body, hashlib.sha256)[:_MAC_BYTES]


def _topic_hash(topic: str) -> bytes:
    return hashlib.sha256(topic.encode()).digest()[:4]
