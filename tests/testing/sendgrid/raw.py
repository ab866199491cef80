"""A client that hides nothing: what came back, or how it ended."""

import copy
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlgroup_mail.testing.sendgrid import FakeSendGrid

PATH = "/v3/mail/send"
WHOLE: dict[str, Any] = {
    "personalizations": [
        {
            "to": [{"email": "ana@office.example", "name": "Ana Silva"}],
            "headers": {
                "Message-ID": "<1@mail.example.org>",
                "List-Unsubscribe": "<https://mail.example.org/o/1>",
            },
            "substitutions": {"qzname01": "Ana", "qzlink01": "https://mail.example.org/o/1"},
            "custom_args": {"delivery": "1"},
        },
        {
            "to": [{"email": "bo@ministry.example"}],
            "headers": {"Message-ID": "<2@mail.example.org>"},
            "substitutions": {"qzname01": "qzlink01", "qzlink01": "https://mail.example.org/o/2"},
            "custom_args": {"delivery": "2"},
        },
    ],
    "from": {"email": "news@example.org", "name": "The group"},
    "subject": "News for qzname01",
    "content": [
        {"type": "text/plain", "value": "Dear qzname01, qzlink01"},
        {"type": "text/html", "value": "<p>Dear qzname01, <a href='qzlink01'>stop</a></p>"},
    ],
}
"""A request that everybody would accept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> list[str | None]:
        """The fields that were named wrong."""
        return [each["field"] for each in self.document["errors"]]


def whole(**changes: Any) -> dict[str, Any]:
    """A request that everybody would accept, but for these keys; None takes one away."""
    document = copy.deepcopy(WHOLE) | changes
    return {name: value for name, value in document.items() if value is not None}


def first(**changes: Any) -> dict[str, Any]:
    """The same, with keys of the first recipient."""
    document = copy.deepcopy(WHOLE)
    document["personalizations"][0] |= changes
    return document


class Client:
    """One kept connection. Raises what the socket raises."""

    def __init__(self, fake: FakeSendGrid, *, key: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=10)
        self._key = fake.key if key is None else key

    def ask(self, method: str, target: str, document: Any = None) -> Reply:
        return self.ask_raw(method, target, None if document is None else json.dumps(document).encode())

    def ask_raw(self, method: str, target: str, body: bytes | None) -> Reply:
        return exchange(self._connection, method, target, body, key=self._key)

    def send(self, document: Any = None) -> Reply:
        return self.ask("POST", PATH, WHOLE if document is None else document)

    def close(self) -> None:
        self._connection.close()


def exchange(
    connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None, *, key: str
) -> Reply:
    """One request over a connection; without a header of the key where that is empty."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    connection.request(method, target, body, headers)
    answer = connection.getresponse()
    return Reply(status=answer.status, headers=dict(answer.getheaders()), body=answer.read())
