"""`contacts/contacts.toml`: where contacts come from, what their columns are called, and the segments."""

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.segments import SegmentRule
from mlgroup_mail.documents import Document, read_toml, validate

CONTACTS_FILE = "contacts.toml"


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
        for own in (Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.FAMILY_NAME, Field.ALIASES, Field.ID):
            if getattr(self, own.value) is not None:
                raise ValueError(f"“{own}” is each person's own and cannot have a default")
        return self


class Source(Document):
    """`[[source]]`: one list. `path` is relative to the folder of `contacts.toml`; what is None is found out."""

    name: str = Key(min_length=1, pattern=r"^\S(.*\S)?$")
    path: str = Key(min_length=1)
    columns: Columns = Columns()
    defaults: Defaults = Defaults()
    sheet: str | None = None
    header_row: int | None = Key(default=None, ge=1)
    delimiter: str | None = Key(default=None, min_length=1, max_length=1)
    encoding: str | None = None

    model_config = Document.model_config | {"str_strip_whitespace": False}

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            return codecs.lookup(value).name if value else None
        except LookupError:
            raise ValueError(f"the encoding “{value}” is not known: utf-8, cp1252, iso-8859-2, ...") from None

    def file(self, folder: Path) -> Path:
        """Where its file lies, for a `contacts.toml` in `folder`."""
        return folder / Path(self.path).expanduser()


class ContactsConfig(Document):
    """`contacts.toml` as a whole. Earlier sources take precedence over later ones."""

    source: tuple[Source, ...] = Key(min_length=1)
    segment: dict[str, SegmentRule] = Key(default_factory=dict)

    @field_validator("source")
    @classmethod
    def _own_names(cls, value: tuple[Source, ...]) -> tuple[Source, ...]:
        names = [source.name for source in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are called “{name}”")
        return value


def read_config(folder: Path) -> ContactsConfig:
    """Read `contacts.toml` in `folder`; raises ConfigurationError naming file, key and mend."""
    path = folder / CONTACTS_FILE
    return check_config(read_toml(path), where=str(path))


def check_config(data: Mapping[str, Any], *, where: str) -> ContactsConfig:
    """Check what `contacts.toml` says; `where` names it in errors."""
    return validate(ContactsConfig, data, where=where)
