"""`contacts/contacts.toml`: where contacts come from, what their columns are called, and the segments."""

import codecs
import io
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.segment_rules import SegmentRule, check_references
from mlgroup_mail.contacts.sources.remote import is_remote
from mlgroup_mail.documents import Document, matching, read_document

CONTACTS_FILE = "contacts.toml"

_USER_INFO = re.compile(r"://[^/@]*:[^/]*@")
_SECRET = re.compile(r"[?&;](password|passwd|pwd|secret|token|key)=", re.IGNORECASE)


_PERSONAL = (
    *(Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.FAMILY_NAME, Field.ALIASES, Field.ID),
    *(Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE),
)
"""What each person says alone: no default can stand in for it."""


class _PerField(Document):
    """One text for each field of a contact; those not given are None."""

    email: str | None = None
    name: str | None = None
    first_name: str | None = None
    family_name: str | None = None
    organisation: str | None = None
    country: str | None = None
    timezone: str | None = None
    language: str | None = None
    status: str | None = None
    opted_out: str | None = None
    subscribed: str | None = None
    active: str | None = None
    topics: str | None = None
    themes: str | None = None
    aliases: str | None = None
    id: str | None = None

    def given(self) -> dict[Field, str]:
        """The fields that are given."""
        return {field: value for field in Field if (value := getattr(self, field.value)) is not None}


class Columns(_PerField):
    """`columns`: the header of each field's column; "" for a field that is not to be read."""


class Defaults(_PerField):
    """`defaults`: what stands in for an empty cell."""

    @model_validator(mode="after")
    def _shared_by_many(self) -> Self:
        for own in _PERSONAL:
            if getattr(self, own.value) is not None:
                raise ValueError(f"“{own}” is each person's own and cannot have a default")
        return self


class Source(Document):
    """`[[source]]`: one list, either a file (`path`) or a query on a database (`url` and `query`).

    `path` is relative to the folder of `contacts.toml`, or begins with the scheme of a remote store, like
    `s3://bucket/members.xlsx`. `url` is a SQLAlchemy URL without a password, or `env:NAME`. What is None is found out.
    """

    name: Annotated[str, Key(min_length=1), matching(r"\S(.*\S)?", "begins or ends with a blank, or has two lines")]
    path: str | None = Key(default=None, min_length=1)
    url: Annotated[
        str | None,
        matching(
            r"env:[A-Za-z_]\w*|[A-Za-z]\w*(\+\w+)?://.*",
            'must be "env:NAME", or the address of a database such as postgresql://host/name',
        ),
    ] = None
    query: str | None = Key(default=None, min_length=1)
    columns: Columns = Columns()
    defaults: Defaults = Defaults()
    sheet: str | None = None
    header_row: int | None = Key(default=None, ge=1, le=1000)
    delimiter: str | None = Key(default=None, min_length=1, max_length=1)
    encoding: str | None = None

    model_config = Document.model_config | {"str_strip_whitespace": False}

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            # A text file tells texts' encodings from others that Python knows, like "hex".
            return codecs.lookup(io.TextIOWrapper(io.BytesIO(), value).encoding).name if value else None
        except LookupError:
            raise ValueError(f"the encoding “{value}” is not known: utf-8, cp1252, iso-8859-2, ...") from None

    @field_validator("delimiter")
    @classmethod
    def _can_part_cells(cls, value: str | None) -> str | None:
        if value is not None and (value in '"\r\n ' or value.isalnum()):
            raise ValueError("a letter, a digit, a quote, a blank or a line break cannot stand between cells")
        return value

    @field_validator("url")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value and (_USER_INFO.search(value) or _SECRET.search(value)):
            raise ValueError('a password does not belong into this file: write url = "env:NAME", and set NAME')
        return value

    @model_validator(mode="after")
    def _file_or_query(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either “path”, or “url” with “query”")
        if (self.url is None) != (self.query is None):
            raise ValueError("“url” and “query” belong together")
        if self.url is not None and (self.sheet or self.header_row or self.delimiter or self.encoding):
            raise ValueError("“sheet”, “header_row”, “delimiter” and “encoding” are for files")
        return self

    def place(self, folder: Path) -> str | Path:
        """Where its file lies, for a `contacts.toml` in `folder`: on this machine, or on a remote store."""
        path = self.path or ""
        return path if is_remote(path) else folder / Path(path).expanduser()


class PullLimits(Document):
    """`[pull]`: how much of the stored list a pull may change or take away before somebody must look.

    It stops where more than this share of the people that its sources have on the list is affected, and at least
    this number of them.
    """

    largest_share: float = Key(default=0.2, ge=0, le=1)
    smallest_number: int = Key(default=5, ge=1)


class ContactsConfig(Document):
    """`contacts.toml` as a whole. Earlier sources take precedence over later ones."""

    source: tuple[Source, ...] = Key(min_length=1)
    segment: dict[str, SegmentRule] = Key(default_factory=dict)
    pull: PullLimits = PullLimits()

    @field_validator("source")
    @classmethod
    def _own_names(cls, value: tuple[Source, ...]) -> tuple[Source, ...]:
        names = [source.name for source in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are called “{name}”")
        return value

    @field_validator("segment")
    @classmethod
    def _known_segments(cls, value: dict[str, SegmentRule]) -> dict[str, SegmentRule]:
        check_references(value)
        return value


def read_config(folder: Path) -> ContactsConfig:
    """Read `contacts.toml` in `folder`; raises ConfigurationError naming file, key and mend."""
    return read_document(ContactsConfig, folder / CONTACTS_FILE)
