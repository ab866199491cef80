"""What approval freezes: everything that decides what goes out, to whom and when, in one value with one digest."""

import dataclasses
import functools
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlgroup_mail.content.campaigns.campaign import AudienceRule
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.templates.template_files import template_place
from mlgroup_mail.model.canary import Canary, CanaryPlace
from mlgroup_mail.model.mailing import MailingRef
from mlgroup_mail.model.message import Sender

_NOT_HASHED = ("text_file", "text_line", "places")
"""Where the words stood: named in errors, of no weight in what goes out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenImage:
    """A picture that a text or the theme may show: the SHA-256 of its bytes, its type, its size in pixels."""

    digest: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class FrozenSource:
    """All that compiling and planning need, so that neither reads a file again; only pictures lie in the store.

    `audience` is the rule; `send_at` and `stop_at` are UTC, `*_written` the same as written ("" where nothing was).
    `figures` are counts (`members`, `countries`), `events` the calendar's entries that are named, `templates` the
    files' contents by name. `opt_out_page` tells whether the opt-out is a page; otherwise the footer asks for a reply.

    `translations` are by language tag. `event` is the id of the event that the mail invites to ("" for none), and
    `event_sequence` the iCalendar SEQUENCE of what is said of it. `images` are by the name that texts use: the path
    within the campaign's folder, or `templates/...` for the theme's. `images_url` is the address under which they
    are hosted; "" where they travel within the mail. `canaries` are those of the team who ride along.
    """

    campaign: str
    mailing: str
    kind: str
    topic: str
    topic_title: str
    topic_default: bool
    language: str
    subject: str
    title: str
    preheader: str
    text: str
    text_file: str
    text_line: int
    sender: Sender
    audience: AudienceRule
    send_at: datetime
    send_written: str
    stop_at: datetime
    stop_written: str
    template: str
    templates: dict[str, str]
    theme: dict[str, Any]
    group: dict[str, str]
    opt_out_page: bool = False
    figures: dict[str, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    events: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    translations: dict[str, MailingText] = field(default_factory=dict)
    event: str = ""
    event_sequence: int = 0
    images: dict[str, FrozenImage] = field(default_factory=dict)
    images_url: str = ""
    canaries: tuple[Canary, ...] = ()

    @property
    def original(self) -> MailingText:
        """The text as its author wrote it."""
        return MailingText(**{entry.name: getattr(self, entry.name) for entry in dataclasses.fields(MailingText)})

    def text_in(self, translation: str) -> MailingText:
        """A translation by its tag; the original for "" ."""
        return self.translations[translation] if translation else self.original

    @property
    def ref(self) -> MailingRef:
        """The mailing's name."""
        return MailingRef(self.campaign, self.mailing)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical form: what an approval is given for."""
        return hashlib.sha256(self.hashed().encode()).hexdigest()

    def hashed(self) -> str:
        """What the digest is taken of: the canonical form without the places where words stood."""
        data = self._plain()
        for words in (data, *data["translations"].values()):
            for key in _NOT_HASHED:
                del words[key]
        return _canonical(data)

    def to_json(self) -> str:
        """The whole value as JSON, in the canonical form."""
        return _canonical(self._plain())

    @classmethod
    def from_json(cls, text: str) -> "FrozenSource":
        """Read back what `to_json` wrote."""
        data = json.loads(text)
        data["sender"] = Sender(**data["sender"])
        for key in ("send_at", "stop_at"):
            data[key] = datetime.fromisoformat(data[key])
        for key, kind in (("translations", MailingText), ("images", FrozenImage)):
            data[key] = {name: kind(**entry) for name, entry in data.get(key, {}).items()}
        data["canaries"] = tuple(
            Canary(**entry | {"place": CanaryPlace(entry["place"])}) for entry in data.get("canaries", ())
        )
        # What an earlier version froze and this one does not know.
        known = {entry.name for entry in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})

    def _plain(self) -> dict[str, Any]:
        data = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        data["sender"] = dataclasses.asdict(self.sender)
        for key in ("translations", "images"):
            data[key] = {name: dataclasses.asdict(entry) for name, entry in data[key].items()}
        data["canaries"] = [dataclasses.asdict(canary) for canary in data["canaries"]]
        for key in ("send_at", "stop_at"):
            data[key] = data[key].isoformat()
        return data


def texts_of(source: FrozenSource) -> dict[str, str]:
    """Every Jinja text of a source by its place as shown to people; the campaign's own begin on their true lines."""
    return {
        place: text
        for words in (source.original, *source.translations.values())
        for place, text in words.templates.items()
    } | {template_place(name): text for name, text in source.templates.items()}


def _canonical(value: Any) -> str:
    """JSON with sorted keys, texts in one form: line ends LF, Unicode NFC. An editor's habits void no approval."""
    return json.dumps(_one_form(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _one_form(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, Mapping):
        return {_one_form(key): _one_form(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_one_form(entry) for entry in value]
    return value
