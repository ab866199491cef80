"""`POST /v3/mail/send`: checked, taken, put on disk, answered."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from mlgroup_mail.testing.sendgrid.truth import Accepted


def recipients(document: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any], str]]:
    """Every recipient: the personalization's index, itself, and the address."""
    for index, personalization in enumerate(document.get("personalizations", ())):
        for kind in ("to", "cc", "bcc"):
            for person in personalization.get(kind, ()):
                yield index, personalization, person.get("email", "")


def answer_id() -> str:
    """What X-Message-Id holds: 22 characters."""
    return secrets.token_urlsafe(16)


def hastily(document: Mapping[str, Any], *, number: int, identifier: str) -> list[dict[str, object]]:
    """Whom the request goes to, as entries of the truth log, with their Message-ID and arguments and no more."""
    now = time.time()
    return [
        {
            "address": address,
            "request": number,
            "answer_id": identifier,
            "at": now,
            "message_id": personalization.get("headers", {}).get("Message-ID", ""),
            "custom_args": personalization.get("custom_args", {}),
        }
        for _, personalization, address in recipients(document)
    ]


def accepted(document: Mapping[str, Any], *, number: int, identifier: str, keep: bool) -> list[Accepted]:
    """Whom the request goes to, each with what they get; `keep` the content, not only its hash."""
    now = time.time()
    shared = document.get("headers") or {}
    arguments = document.get("custom_args") or {}
    taken = []
    for _, personalization, address in recipients(document):
        headers = {**shared, **personalization.get("headers", {})}
        filled = _Filled(document, personalization)
        taken.append(
            Accepted(
                address=address,
                request=number,
                answer_id=identifier,
                at=now,
                message_id=next((value for name, value in headers.items() if name.lower() == "message-id"), ""),
                custom_args={**arguments, **personalization.get("custom_args", {})},
                headers=headers,
                content=filled.digest,
                subject=filled.subject,
                parts=filled.parts if keep else {},
            )
        )
    return taken


class _Filled:
    """Subject and content of one personalization: tags replaced one after the other, as text, wherever they stand."""

    def __init__(self, document: Mapping[str, Any], personalization: Mapping[str, Any]) -> None:
        tags: Mapping[str, str] = personalization.get("substitutions", {})
        self.subject = _replaced(personalization.get("subject") or document.get("subject", ""), tags)
        self.parts = {part["type"]: _replaced(part["value"], tags) for part in document.get("content", ())}

    @property
    def digest(self) -> str:
        """SHA-256 over subject and parts."""
        return hashlib.sha256("\0".join([self.subject, *self.parts.values()]).encode()).hexdigest()


def _replaced(text: str, tags: Mapping[str, str]) -> str:
    for tag, value in tags.items():
        text = text.replace(tag, value)
    return text
