"""What a column of a contact source can hold."""

from enum import StrEnum


class Field(StrEnum):
    """The keys of `columns` and `defaults` in `contacts.toml`."""

    EMAIL = "email"
    """The address."""
    NAME = "name"
    """The full name, as written."""
    FIRST_NAME = "first_name"
    """What a greeting uses."""
    FAMILY_NAME = "family_name"
    """With a first name beside it, makes the full name where no column holds that."""
    ORGANISATION = "organisation"
    """Where the person works."""
    COUNTRY = "country"
    """A name or an ISO 3166 code."""
    TIMEZONE = "timezone"
    """An IANA name."""
    LANGUAGE = "language"
    """A BCP 47 tag, or the language's name."""
    STATUS = "status"
    """What the person is to the group, or that they have left."""
    TOPICS = "topics"
    """The kinds of mail chosen, apart by ";"."""
    THEMES = "themes"
    """What the person is interested in, apart by ";"."""
    ALIASES = "aliases"
    """Further addresses of the same person, apart by ";"."""
    ID = "id"
    """The source's own number for the person."""
