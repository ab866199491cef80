"""Segment rules as people write them: `[segment.NAME]` in `contacts.toml`, or an inline table like one."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from mlgroup_mail import addresses
from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.languages import find_language
from mlgroup_mail.documents import Document
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import MailingRef

DEEPEST = 20
"""Levels of rules within rules, those of the segments that a rule names included."""


def _listed(value: Any) -> Any:
    """One word stands for a list of one, and a number for how it is written: ids are often numbers."""
    words = value if isinstance(value, list | tuple) else [value]
    return tuple(str(word) if type(word) is int else word for word in words)


def _table(value: Any) -> Any:
    if value is not None and not isinstance(value, Mapping | SegmentRule):
        raise ValueError('takes a table: not = { country = "FR" }')
    return value


def _tables(value: Any) -> Any:
    if value is not None and not isinstance(value, list | tuple):
        raise ValueError('takes a list of tables: [{ country = "FR" }, { status = "lead" }]')
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
Rules = Annotated[tuple["SegmentRule", ...], Field(min_length=1)]


class SegmentRule(Document):
    """A rule: every key must hold, and a list means any of its words; `any`, `all` and `not` combine rules.

    Texts compare without case, `*` stands for any letters, and "" for no value at all. `country` takes names and
    codes; `language = "en"` also means en-GB; `address` takes addresses, and domains as "@example.org", which means
    those below it too. `topics` are those that a contact has chosen, so that whoever takes the defaults has none.
    `id` is the source's own, with the source's name before it ("members:17") or without. `accepted` names mailings:
    whoever one of them was accepted for. `segment` names other segments.
    """

    status: Words | None = None
    country: Words | None = None
    language: Words | None = None
    timezone: Words | None = None
    organisation: Words | None = None
    source: Words | None = None
    themes: Words | None = None
    topics: Words | None = None
    name: Words | None = None
    first_name: Words | None = None
    address: Words | None = None
    id: Words | None = None
    accepted: Words | None = None
    segment: Words | None = None
    any_of: Annotated[Rules | None, BeforeValidator(_tables)] = Field(default=None, alias="any")
    all_of: Annotated[Rules | None, BeforeValidator(_tables)] = Field(default=None, alias="all")
    excluded: Annotated["SegmentRule | None", BeforeValidator(_table)] = Field(default=None, alias="not")

    @model_validator(mode="before")
    @classmethod
    def _not_endless(cls, data: Any) -> Any:
        """Looked at before what is inside: no recursion may end in anything but a sentence."""
        require_shallow(data)
        return data

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for country in filter(None, self.country or ()):
            if not find_country(country):
                raise ValueError(f"the country “{country}” is not known: write its English name or ISO 3166 code")
        for language in filter(None, self.language or ()):
            if not find_language(language):
                raise ValueError(f"the language “{language}” is not known: write a BCP 47 tag such as en or pt-BR")
        for address in filter(None, self.address or ()):
            read_address(address)
        for mailing in self.accepted or ():
            read_mailing(mailing)
        return self

    def written(self) -> dict[str, Any]:
        """The rule as data, each key with its list of words: what an approval is bound to."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def text(self) -> str:
        """The rule on one line, as TOML; its keys, without a table's braces."""
        return _keys(self.written()) or "everybody"


def read_address(word: str) -> str:
    """An address, a domain as "@example.org", or a text with a `*`, in the spelling that addresses are stored in.

    Raises ValueError.
    """
    if "*" in word:
        return word
    try:
        if word.startswith("@"):
            return f"@{addresses.domain(addresses.normalise(f'a{word}'))}"
        return addresses.normalise(word)
    except addresses.AddressError as error:
        reason = f"“{addresses.mask(word)}” is neither an address nor a domain: {error}"
        raise ValueError(f'{reason}; write "anna@example.org", "@example.org" or "info@*"') from None


def read_mailing(word: str) -> MailingRef:
    """The mailing that an `accepted` names; raises ValueError."""
    try:
        return MailingRef.parse(word)
    except UsageError as error:
        raise ValueError(f"{error.problem.message}: write <campaign>/<mailing>") from None


def expanded(rule: SegmentRule, segments: Mapping[str, SegmentRule], path: tuple[str, ...] = ()) -> SegmentRule:
    """The rule with those of the segments it names in place of their names.

    So what an approval is bound to says all, and changing any of them voids it. `path` is the names that led here.
    Raises ValueError for a segment that is not there, or that leads back to itself.
    """
    parts: dict[str, Any] = {}
    if rule.any_of:
        parts["any_of"] = tuple(expanded(each, segments, path) for each in rule.any_of)
    if rule.all_of:
        parts["all_of"] = tuple(expanded(each, segments, path) for each in rule.all_of)
    if rule.excluded:
        parts["excluded"] = expanded(rule.excluded, segments, path)
    if rule.segment:
        named = tuple(_named(name, segments, path) for name in rule.segment)
        one = named[0] if len(named) == 1 else SegmentRule(any=named)
        parts |= {"segment": None, "all_of": (*parts.get("all_of", ()), one)}
    return rule.model_copy(update=parts) if parts else rule


def check_references(segments: Mapping[str, SegmentRule]) -> None:
    """Raise ValueError where a segment names one that is not there, or one that leads back to itself."""
    for name, rule in segments.items():
        require_shallow(expanded(rule, segments, (name,)).written())


def require_shallow(data: Any) -> None:
    """Raise ValueError where a rule, as data, has too many levels."""
    level = [data]
    for _ in range(DEEPEST):
        level = [inner for table in level if isinstance(table, Mapping) for inner in _inner(table)]
    if level:
        raise ValueError(f"rules are nested more than {DEEPEST} deep")


def known_segments(name: str, segments: Mapping[str, SegmentRule]) -> str:
    """What to tell whoever named a segment that is not there."""
    if near := difflib.get_close_matches(name, segments, n=1):
        return f"Did you mean “{near[0]}”?"
    known = ", ".join(sorted(segments)) or "none"
    return f"Known segments: {known}. Or add [segment.{name}] to contacts/contacts.toml."


def _named(name: str, segments: Mapping[str, SegmentRule], path: tuple[str, ...]) -> SegmentRule:
    if name in path:
        raise ValueError(f"segments name one another in a circle: {' → '.join((*path[path.index(name) :], name))}")
    if name not in segments:
        raise ValueError(f"there is no segment “{name}”. {known_segments(name, segments)}")
    if len(path) > DEEPEST:
        raise ValueError(f"segments name one another more than {DEEPEST} deep: {' → '.join(path[:3])} → …")
    return expanded(segments[name], segments, (*path, name))


def rule_text(audience: str | Mapping[str, Any]) -> str:
    """What a campaign's `audience` says, for people: a segment's name in quotes, or a table as TOML."""
    return f"“{audience}”" if isinstance(audience, str) else _toml(audience)


def _keys(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {_toml(value)}" for key, value in table.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {_keys(value)} }}" if value else "{}"
    if isinstance(value, list):
        one_word = len(value) == 1 and isinstance(value[0], str)
        return _toml(value[0]) if one_word else f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _inner(table: Mapping[str, Any]) -> Iterator[Any]:
    for key in ("any", "all", "not"):
        value = table.get(key)
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield from value
        elif value is not None:
            yield value
