"""One small reading for each field: a cell's text becomes a value, and what was dropped or is remarkable is said.

A reader depends on nothing but its cell: whoever reads a column may call it once for each distinct cell.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.choices import Choices, refused
from mlgroup_mail.contacts.words.countries import country_remark, read_country
from mlgroup_mail.contacts.words.languages import find_language
from mlgroup_mail.contacts.words.statuses import (
    INACTIVE,
    NO_MAIL,
    OPTED_OUT,
    UNSUBSCRIBED,
    all_topics,
    answer,
    no_topics,
    opts_out,
    status_remark,
    status_word,
    stays,
)
from mlgroup_mail.contacts.words.texts import LONGEST, TextError, damaged, one_line, split_values
from mlgroup_mail.contacts.words.timezones import read_timezone

Value = str | tuple[str, ...]

NOTHING = (NO_MAIL,)
"""What a cell of topics is read as that says "none"."""

LONGEST_NAME = 200
LONGEST_ORGANISATION = 500
"""Characters that a value of these fields may have."""

_SHORT = frozenset({Field.COUNTRY, Field.TIMEZONE, Field.LANGUAGE})
"""Fields whose words are looked up in many ways: a longer cell has none of them, and would cost time."""

_PLACEHOLDER = re.compile(r"[-–—_.*·\\/\s]+|\?+|n/a|n\.a\.?|n/d|s/o", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)
_SEVERAL_LANGUAGES = re.compile(r"\s*[;,/|&+]\s*|\s+(?:and|et|und|y|e)\s+")

_DAMAGED = "kept, though letters in it were damaged when a file was saved: correct them in the list"
_TOO_LONG = f"longer than {LONGEST_NAME} characters; it says that the person has left"
_TAKEN_OUT = "taken as an opt-out, to be safe: this is no yes and no no"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, and where something was dropped from it, why and what.

    A reason with nothing dropped is a remark about a value that is kept whole.
    """

    value: Value
    reason: str = ""
    dropped: str = ""


Reader = Callable[[str], Reading]


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The project's own words: each topic and each theme, with its title. None: any are taken.

    `default_topics` are those that whoever has chosen none gets; None: all of them.
    """

    topics: Mapping[str, str] | None = None
    themes: Mapping[str, str] | None = None
    default_topics: frozenset[str] | None = None


ANY_WORDS = Vocabulary()


def make_readers(vocabulary: Vocabulary) -> dict[Field, Reader]:
    """The reader of every field but the address."""
    topics = None if vocabulary.topics is None else Choices(vocabulary.topics)
    themes = None if vocabulary.themes is None else Choices(vocabulary.themes)
    usual = tuple(vocabulary.topics or ()) if vocabulary.default_topics is None else vocabulary.default_topics
    readers: dict[Field, Reader] = {
        Field.NAME: _name,
        Field.FIRST_NAME: _name,
        Field.FAMILY_NAME: _name,
        Field.ORGANISATION: lambda text: _text(text, LONGEST_ORGANISATION),
        Field.COUNTRY: lambda text: Reading(read_country(text), country_remark(text)),
        Field.TIMEZONE: lambda text: Reading(read_timezone(text)),
        Field.LANGUAGE: _language,
        Field.STATUS: _status,
        Field.OPTED_OUT: _opted_out,
        Field.SUBSCRIBED: lambda text: _agreed(text, UNSUBSCRIBED),
        Field.ACTIVE: lambda text: _agreed(text, INACTIVE),
        Field.TOPICS: lambda text: _topics(text, topics, usual),
        Field.THEMES: lambda text: _themes(text, themes),
        Field.ALIASES: _aliases,
        Field.ID: lambda text: _text(text, LONGEST_NAME),
    }
    return {field: _lined(reader, field) for field, reader in readers.items()}


def _lined(reader: Reader, field: Field) -> Reader:
    """A reader of cells: of one line, no formula, no placeholder, and no longer than what the field may say."""
    # A question mark says something about leaving.
    doubts = field in {Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE}
    longest = LONGEST_NAME if field in _SHORT else LONGEST

    def read(cell: str) -> Reading:
        try:
            text = one_line(cell)
            nothing = says_nothing(text) and not (doubts and "?" in text)
            _refuse_longer(text, longest)
            return Reading("") if nothing else reader(text)
        except TextError as error:
            return Reading("", str(error), cell)

    return read


def says_nothing(text: str) -> bool:
    """Whether a cell is empty, or holds only what stands for that ("-", "n/a")."""
    return not text.strip() or _PLACEHOLDER.fullmatch(text.strip()) is not None


def _refuse_longer(text: str, longest: int) -> None:
    if len(text) > longest:
        raise TextError(f"longer than {longest} characters")


def _text(text: str, longest: int) -> Reading:
    _refuse_longer(text, longest)
    return Reading(text, _DAMAGED if damaged(text) else "")


def _name(text: str) -> Reading:
    if "@" in text:
        raise TextError("an address stands where the name should")
    if _WEB_ADDRESS.match(text):
        raise TextError("a web address stands where the name should")
    if not any(char.isalpha() for char in text):
        raise TextError("there is no letter in this name")
    return _text(text, LONGEST_NAME)


def _language(text: str) -> Reading:
    if tag := find_language(text):
        return Reading(tag)
    first, *others = _SEVERAL_LANGUAGES.split(text)
    if others and (tag := find_language(first)):
        return Reading(tag, "several languages: the first is taken", "; ".join(filter(None, others)))
    raise TextError("this language is not known")


def _status(text: str) -> Reading:
    if len(text) > LONGEST_NAME and opts_out(text):
        return Reading(OPTED_OUT, status_remark(text) or _TOO_LONG, text)
    _refuse_longer(text, LONGEST_NAME)
    return Reading(status_word(text), status_remark(text))


def _opted_out(text: str) -> Reading:
    """A column such as "Unsubscribed": a yes, a date or a word for leaving opts out, and so does what is unclear."""
    answered = answer(text)
    if answered is False or (answered is None and stays(text)):
        return Reading("")
    return _out(OPTED_OUT, text, sure=bool(answered))


def _out(status: str, text: str, *, sure: bool) -> Reading:
    """A status for an opt-out; where it is not sure, with what the cell says instead."""
    if sure or not (reason := status_remark(text) if opts_out(text) else _TAKEN_OUT):
        return Reading(status)
    return Reading(status, reason, text)


def _agreed(text: str, otherwise: str) -> Reading:
    """A column such as "Subscribed" or "Active": a no or a word for leaving opts out, and so does what is unclear."""
    answered = answer(text)
    if answered or (answered is None and stays(text)):
        return Reading("")
    return _out(otherwise, text, sure=answered is False)


def _topics(text: str, choices: Choices | None, usual: Collection[str]) -> Reading:
    if no_topics(text):
        return Reading(NOTHING)
    written = split_values(text, ";,|")
    if not written:
        return Reading(())
    if choices is None:
        return Reading(tuple(dict.fromkeys(each.lower() for each in written)))
    if all_topics(text):
        return Reading(choices.keys)
    if refused(written[0]):
        return _all_but([refused(each) or each for each in written], choices, usual)
    wanted = [each for each in written if not choices.find(refused(each))]
    known = {each: choices.find(each) or choices.begun(each) for each in wanted}
    chosen = tuple(dict.fromkeys(topic for topic in known.values() if topic))
    unknown = [each for each, topic in known.items() if not topic]
    if unknown:
        default = "" if chosen else ", so the default topics apply"
        return Reading(chosen, f"this topic is not known{default}", "; ".join(unknown))
    guessed = any(not choices.find(each) for each in wanted)
    return Reading(chosen, f"taken as {', '.join(chosen)}" if guessed else "")


def _all_but(unwanted: Sequence[str], choices: Choices, usual: Collection[str]) -> Reading:
    """The default topics without some: "all but calls", "no newsletter"."""
    meant = {each: choices.named_in(each) for each in unwanted}
    if unknown := [each for each, topics in meant.items() if not topics]:
        return Reading((), "this says what is not wanted, and that topic is not known", "; ".join(unknown))
    left = tuple(topic for topic in choices.keys if topic in usual and topic not in set().union(*meant.values()))
    return Reading(left or NOTHING, f"taken as {', '.join(left) or 'no mail at all'}")


def _themes(text: str, choices: Choices | None) -> Reading:
    written = split_values(text)
    for each in written:
        _refuse_longer(each, LONGEST_NAME)
    if choices is None:
        return Reading(written)
    known = {each: choices.find(each) for each in written}
    chosen = tuple(dict.fromkeys(theme for theme in known.values() if theme))
    unknown = [each for each, theme in known.items() if not theme]
    return Reading(chosen, "this theme is not known" if unknown else "", "; ".join(unknown))


def _aliases(text: str) -> Reading:
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for part in split_values(text):
        try:
            reading = addresses.read_cell(part)
        except addresses.AddressError as error:
            wrong[part] = str(error)
            continue
        found |= {addresses.key(each): each for each in (reading.address, *reading.further)}
    return Reading(tuple(found.values()), next(iter(wrong.values()), ""), "; ".join(wrong))
