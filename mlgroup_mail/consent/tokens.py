"""Opt-out tokens: short texts that only we can make, that name a person and a topic and hold no address.

A token is `key's version | contact id | mailing id | topic hash` and an HMAC-SHA-256 of them cut to 128 bits (RFC 2104,
section 5), in base32: upper and lower case are the same, so that it survives a subject line typed by hand. Tokens never
expire: an opt-out link in a mail of years ago still works. Keys rotate; old ones go on being understood.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS

_FORM = struct.Struct(">BQQ4s")
_MAC_BYTES = 16
_LENGTH = _FORM.size + _MAC_BYTES


class Scope(StrEnum):
    """What a token is for: one that serves the one does nothing at the other."""

    OPT_OUT = "opt-out"
    """To opt out: in every mail, for one click and the page."""
    PREFERENCES = "preferences"
    """To choose topics, in the page that the first one leads to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenContent:
    """What a valid token says."""

    contact_id: int
    mailing_id: int
    topic: str


class OptOutTokens:
    """Makes and reads tokens under the project's secret keys."""

    def __init__(self, keys: Sequence[str], *, topics: Iterable[str], scope: Scope = Scope.OPT_OUT) -> None:
        """`keys`: newest first, at least one; the first one signs. `topics`: those a token may name.

        One made for another `scope` is not understood.
        """
        if not keys:
            raise ConfigurationError(
                "there is no secret key, so opt-out links cannot be made",
                where="MLGROUP_SECRET_KEYS",
                mend="Put one into .env; `mlgroup-mail init` makes such a file, or: "
                'python -c "import secrets; print(secrets.token_hex(32))"',
            )
        self._scope = scope.encode()
        self._newest = keys[0].encode()
        self._newest_version = _version(self._newest)
        self._keys: dict[int, list[bytes]] = defaultdict(list)
        for key in keys:
            self._keys[_version(key.encode())].append(key.encode())
        self._topics = {_topic_hash(topic): topic for topic in (ALL_TOPICS, *topics)}
        self._hashes = {topic: hashed for hashed, topic in self._topics.items()}

    def make(self, content: TokenContent) -> str:
        """The token: 60 letters and digits in lower case."""
        body = _FORM.pack(self._newest_version, content.contact_id, content.mailing_id, self._hash(content.topic))
        return base64.b32encode(body + _mac(self._newest, self._scope, body)).decode().rstrip("=").lower()

    def _hash(self, topic: str) -> bytes:
        return self._hashes.get(topic) or _topic_hash(topic)

    def read(self, token: str) -> TokenContent | None:
        """What a token says, or None where it is not ours: the same steps are done for both.

        A topic that the project has no longer counts as all: whoever leaves it wants no mail from under a new name.
        """
        raw, whole = _raw(token.strip())
        body, mac = raw[: _FORM.size], raw[_FORM.size :]
        version, contact_id, mailing_id, topic_hash = _FORM.unpack(body)
        keys = self._keys.get(version) or [self._newest]
        matches = [hmac.compare_digest(_mac(key, self._scope, body), mac) for key in keys]
        topic = self._topics.get(topic_hash, ALL_TOPICS)
        content = TokenContent(contact_id=contact_id, mailing_id=mailing_id, topic=topic)
        return content if whole and any(matches) else None


def _raw(text: str) -> tuple[bytes, bool]:
    """A token's bytes, and whether it is a whole one; so many zeros for what is none."""
    letters = text.upper() if text.isascii() else ""
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    # The last letter has spare bits: only the spelling that `make` gives is ours.
    whole = len(raw) == _LENGTH and base64.b32encode(raw).decode().rstrip("=") == letters
    return (raw, True) if whole else (bytes(_LENGTH), False)


def fingerprint(key: str) -> str:
    """What a key is known by where it must not be shown: 16 hexadecimal digits."""
    return hashlib.sha256(b"fingerprint" + key.encode()).hexdigest()[:16]


def _version(key: bytes) -> int:
    """The number by which a token tells its key; where two keys share one, both are asked."""
    return hashlib.sha256(b"version" + key).digest()[0]


def _mac(key: bytes, scope: bytes, body: bytes) -> bytes:
    # By its name: half as long as with the function.
    return hmac.digest(key, scope + body, "sha256")[:_MAC_BYTES]


def _topic_hash(topic: str) -> bytes:
    return hashlib.sha256(topic.encode()).digest()[:4]
