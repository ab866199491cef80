"""One small reading for each field: a cell's text becomes a value, and what was dropped is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.places import find_country, find_language, find_timezone
from mlgroup_mail.contacts.statuses import NO_MAIL, no_topics, status_word
from mlgroup_mail.contacts.texts import TextError, one_line, plain, split_values

Value = str | tuple[str, ...]

NOTHING = (NO_MAIL,)
"""What a cell of topics is read as that says "none"."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, and where something was dropped from it, why and what."""

    value: Value
    reason: str = ""
    dropped: str = ""


Reader = Callable[[str], Reading]


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The project's own words: each topic and each theme, with its title. None: any are taken."""

    topics: Mapping[str, str] | None = None
    themes: Mapping[str, str] | None = None


ANY_WORDS = Vocabulary()


def make_readers(vocabulary: Vocabulary) -> dict[Field, Reader]:
    """The reader of every field but the address."""
    topics = vocabulary.topics
    names = None if topics is None else {_topic_words(topic): topic for topic in topics}
    readers: dict[Field, Reader] = {
        Field.NAME: _name,
        Field.FIRST_NAME: _name,
        Field.FAMILY_NAME: _name,
        Field.ORGANISATION: Reading,
        Field.COUNTRY: lambda text: _found(find_country(text), text, "this country is not known"),
        Field.TIMEZONE: lambda text: _found(find_timezone(text), text, "this is no IANA time zone"),
        Field.LANGUAGE: lambda text: _found(find_language(text), text, "this language is not known"),
        Field.STATUS: lambda text: Reading(status_word(text)),
        Field.TOPICS: lambda text: _topics(text, names),
        Field.THEMES: lambda text: Reading(split_values(text)),
        Field.ALIASES: _aliases,
        Field.ID: Reading,
    }
    shared = (
        Field.ORGANISATION,
        Field.COUNTRY,
        Field.TIMEZONE,
        Field.LANGUAGE,
        Field.STATUS,
        Field.TOPICS,
        Field.THEMES,
    )
    lined = {field: _lined(reader) for field, reader in readers.items()}
    return lined | {field: cache(lined[field]) for field in shared}


def _lined(reader: Reader) -> Reader:
    def read(cell: str) -> Reading:
        try:
            text = one_line(cell)
        except TextError as error:
            return Reading("", str(error), cell)
        return reader(text) if text else Reading("")

    return read


def _found(value: str, text: str, reason: str) -> Reading:
    return Reading(value) if value else Reading("", reason, text)


def _name(text: str) -> Reading:
    return Reading("", "an address stands where the name should", text) if "@" in text else Reading(text)


def _topics(text: str, names: Mapping[str, str] | None) -> Reading:
    if no_topics(text):
        return Reading(NOTHING)
    written = split_values(text, ";,|")
    if names is None:
        return Reading(tuple(dict.fromkeys(each.lower() for each in written)))
    known = {each: names.get(_topic_words(each), "") for each in written}
    chosen = tuple(dict.fromkeys(topic for topic in known.values() if topic))
    unknown = [each for each, topic in known.items() if not topic]
    if not unknown:
        return Reading(chosen)
    reason = "this topic is not known" if chosen else "this topic is not known, so the default topics apply"
    return Reading(chosen, reason, "; ".join(unknown))


def _topic_words(text: str) -> str:
    """ "Coffee & Coding", "coffee and coding" and "coffee-coding" are one topic."""
    return " ".join(word for word in plain(text).split() if word not in {"and", "et", "und", "y"})


def _aliases(text: str) -> Reading:
    found: list[str] = []
    for each in split_values(text, ";,"):
        try:
            found.append(addresses.read(each))
        except addresses.AddressError as error:
            return Reading(tuple(found), str(error), each)
    return Reading(tuple(found))
