"""Named, declarative rules over contacts: `[segment.NAME]`, or an inline table like one."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from mlgroup_mail.contacts.places import find_country, find_language
from mlgroup_mail.documents import Document, validate
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import Contact

if TYPE_CHECKING:
    from mlgroup_mail.contacts.config import ContactsConfig


def _listed(value: Any) -> Any:
    """One word stands for a list of one."""
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class SegmentRule(Document):
    """A rule as people write it: every key must hold, a list means any of, `not = {...}` excludes.

    Texts compare without case. `country` takes names and codes; `language = "en"` also means en-GB; `topics` are
    those that a contact has chosen, so that whoever takes the defaults has none.
    """

    status: Words | None = None
    country: Words | None = None
    language: Words | None = None
    timezone: Words | None = None
    organisation: Words | None = None
    source: Words | None = None
    themes: Words | None = None
    topics: Words | None = None
    excluded: Self | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _known_places(self) -> Self:
        for country in self.country or ():
            if not find_country(country):
                raise ValueError(f"the country “{country}” is not known: write its English name or ISO 3166 code")
        for language in self.language or ():
            if not find_language(language):
                raise ValueError(f"the language “{language}” is not known: write a BCP 47 tag such as en or pt-BR")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A rule made ready: `conditions` are (field, wanted) pairs that must all hold, `excluded` must not."""

    name: str
    conditions: tuple[tuple[str, frozenset[str]], ...]
    excluded: "Segment | None" = None

    def matches(self, contact: Contact) -> bool:
        """Whether the contact is in the segment."""
        if any(wanted.isdisjoint(_values(contact, field)) for field, wanted in self.conditions):
            return False
        return self.excluded is None or not self.excluded.matches(contact)


def segment_for(config: "ContactsConfig", audience: object, *, where: str = "") -> Segment:
    """The segment that a campaign's `audience` means: a segment's name, or an inline table like one.

    `where` names the campaign file. Raises CampaignError for an unknown segment, key or country, or another thing.
    """
    if isinstance(audience, Mapping):
        rule = validate(SegmentRule, audience, where=where, refusal=CampaignError, table="audience")
        return make_segment("inline", rule)
    if not isinstance(audience, str):
        raise CampaignError(
            "“audience” must be the name of a segment, or a table like one",
            where=where,
            mend='Write audience = "members", or audience = { status = "member", country = ["FR", "BE"] }.',
        )
    if audience in config.segment:
        return make_segment(audience, config.segment[audience])
    if audience.startswith("accepted:"):
        raise CampaignError(
            f"the audience “{audience}” cannot be used yet: corrections come with a later version",
            where=where,
            mend="Name a segment of contacts/contacts.toml.",
        )
    near = difflib.get_close_matches(audience, config.segment, n=1)
    known = ", ".join(sorted(config.segment)) or "none"
    raise CampaignError(
        f"there is no segment “{audience}”",
        where=where,
        mend=f"Did you mean “{near[0]}”?"
        if near
        else f"Known segments: {known}. Or add [segment.{audience}] to contacts/contacts.toml.",
    )


def make_segment(name: str, rule: SegmentRule) -> Segment:
    """Make a rule ready for matching."""
    fields = [field for field in SegmentRule.model_fields if field != "excluded"]
    wanted = {field: getattr(rule, field) for field in fields}
    return Segment(
        name=name,
        conditions=tuple(
            (field, frozenset(_wanted(field, word) for word in words)) for field, words in wanted.items() if words
        ),
        excluded=make_segment(f"not {name}", rule.excluded) if rule.excluded else None,
    )


def _wanted(field: str, word: str) -> str:
    if field == "country":
        word = find_country(word)
    if field == "language":
        word = find_language(word)
    return word.casefold()


def _values(contact: Contact, field: str) -> tuple[str, ...]:
    """What a contact has for one key; a language tag stands for each of its beginnings (RFC 4647, 3.3.1)."""
    value = getattr(contact, field)
    if field == "language":
        parts = value.casefold().split("-")
        return tuple("-".join(parts[:length]) for length in range(1, len(parts) + 1))
    if isinstance(value, tuple):
        return tuple(each.casefold() for each in value)
    return (value.casefold(),)
