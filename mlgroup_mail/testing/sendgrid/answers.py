"""What a request is answered with, in the words of the real service."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

MAIL_SEND = "/v3/mail/send"
_ERRORS_PAGE = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message."


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request, read to its end. `headers` by lower-case name; `number` counts the requests to `/v3/mail/send`."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    number: int = 0

    @property
    def path(self) -> str:
        """Without the query; an address in it is unquoted."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def document(self) -> object:
        """Its body. Raises ValueError where that is no JSON; an empty one is an empty object."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaw:
    """One thing that is wrong with a request. `field` is a dotted path such as `personalizations.3.to.0.email`."""

    message: str
    field: str | None = None
    topic: str = ""
    """The place on the service's page of errors, after `message.`."""


def answer_json(status: int, document: object) -> Answer:
    """A document."""
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=json.dumps(document).encode())


def answer_flaws(status: int, flaws: Iterable[Flaw]) -> Answer:
    """A refusal of the whole request: `{"errors": [{"message", "field", "help"}]}`."""
    errors = [
        {
            "message": flaw.message,
            "field": flaw.field,
            "help": _ERRORS_PAGE + flaw.topic if flaw.topic else None,
        }
        for flaw in flaws
    ]
    return answer_json(status, {"errors": errors})


def refuse(status: int, message: str, field: str | None = None) -> Answer:
    """A refusal for one reason."""
    return answer_flaws(status, [Flaw(message=message, field=field)])
