"""What is handed over: compiled content with merge fields open, and a finished message."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Whom a mail is from: `[sender.<name>]` of `mlgroup.toml`."""

    name: str
    address: str
    reply_to: str = ""


class SlotContext(StrEnum):
    """What a merge field stands in, and so how its value is written."""

    HTML_TEXT = "html_text"
    """Between tags."""
    ATTRIBUTE = "attribute"
    """Inside an attribute that is no address."""
    URL = "url"
    """The whole of an address: its scheme is checked."""
    QUERY = "query"
    """Inside the query of an address: percent-encoded."""
    PLAIN = "plain"
    """In the plain-text part."""
    HEADER = "header"
    """In the subject."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One merge field in one context. `fallback` stands in for an empty value; None where none was written."""

    field: str
    context: SlotContext
    fallback: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeValues:
    """What is filled in for one recipient.

    The first six are the merge fields (`recipient.name` ... `links.opt_out_all`). `opt_out` and `opt_out_all` are
    addresses that a reader follows: https, or mailto where no page is configured. `one_click` (https, RFC 8058) and
    `opt_out_mail` (mailto) go into List-Unsubscribe only. All addresses are ASCII.
    """

    address: str
    opt_out: str
    opt_out_all: str
    opt_out_mail: str
    one_click: str = ""
    name: str = ""
    first_name: str = ""
    organisation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class InlineImage:
    """A picture that travels within the mail: the page shows `cid:<content_id>`.

    `digest` is the SHA-256 of its bytes, under which the store holds them.
    """

    name: str
    media_type: str
    content_id: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledMessage:
    """A variant after Jinja, MJML and CSS inlining, merge fields still open.

    `subject`, `html` and `text` hold a token of letters and digits wherever a field stands; `tokens` maps each to its
    slot. All tokens have the same length, and none occurs in the text by itself. `images` are shown by the page,
    `calendar` is an iCalendar object that goes with the mail ("" for none); neither holds a token. It is stored in
    the ledger as JSON, so that any worker can send from it.
    """

    subject: str
    html: str
    text: str
    language: str
    headers: tuple[tuple[str, str], ...] = ()
    tokens: dict[str, Slot] = field(default_factory=dict)
    images: tuple[InlineImage, ...] = ()
    calendar: str = ""

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "CompiledMessage":
        """Read back what `to_json` wrote."""
        data = json.loads(text)
        data["headers"] = tuple((name, value) for name, value in data["headers"])
        data["tokens"] = {
            token: Slot(**slot | {"context": SlotContext(slot["context"])}) for token, slot in data["tokens"].items()
        }
        data["images"] = tuple(InlineImage(**image) for image in data.get("images", ()))
        return cls(**data)


class Template(Protocol):
    """What all recipients of a variant share, made once in the form that a transport hands over."""

    def fill(self, values: MergeValues, *, message_id: str, date: datetime) -> bytes:
        """One recipient's part. Raises ValueError where what is our own is wrong, as a link that is none."""
        ...


class BuildTemplate(Protocol):
    """Makes a variant's template; see `MessageTemplate.build` for what it is given."""

    def __call__(
        self,
        compiled: CompiledMessage,
        *,
        sender: Sender,
        list_id: str,
        one_click: bool,
        pictures: Mapping[str, bytes],
    ) -> Template:
        """The template. Raises ValueError where what all share is wrong."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A finished message for one recipient, ready for a transport.

    `content` is what `template` gave for this recipient: the whole message with CRLF line ends, not dot-stuffed, or
    what is this recipient's own in a request to a provider, which has the rest from `template`. `envelope_from` is the
    return path.
    `campaign`, `mailing` and `delivery_id` name the place in the ledger (and in the outbox), `variant` is what people
    call the variant it is ("" where all read the same). `contact_id` is whose it is; 0 for a message that is nobody's,
    as a test.
    """

    attempt_id: int
    delivery_id: int
    campaign: str
    mailing: str
    envelope_from: str
    address: str
    content: bytes
    variant: str = ""
    contact_id: int = 0
    template: Template | None = None
