"""Segments: rules over contacts, made ready for a million of them."""

import fnmatch
import re
import unicodedata
from collections.abc import Callable, Container, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mlgroup_mail import addresses
from mlgroup_mail.contacts.segment_rules import (
    SegmentRule,
    expanded,
    known_segments,
    read_address,
    read_mailing,
    require_shallow,
)
from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.languages import find_language
from mlgroup_mail.documents import Refusal, validate
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import Contact, MailingRef

if TYPE_CHECKING:
    from mlgroup_mail.contacts.config import ContactsConfig

Answers = Mapping[MailingRef, Container[int]]
"""For each mailing that a segment asks about: the ids of the contacts it was accepted for."""

NO_ANSWERS: Answers = {}
"""For segments that ask about none."""

ACCEPTED = "accepted:"
"""`audience = "accepted:<campaign>/<mailing>"`: whoever that mailing was accepted for."""

Test = Callable[[Contact, Answers], bool]
_Holds = Callable[[Any], bool]
_Maker = Callable[[tuple[str, ...]], Test]

_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A rule made ready. `mailings` are those whose answers `select` and `matches` need; `where` names its file."""

    name: str
    test: Test
    mailings: frozenset[MailingRef] = frozenset()
    where: str = ""

    def matches(self, contact: Contact, answers: Answers = NO_ANSWERS) -> bool:
        """Whether the contact is in the segment."""
        return self.test(contact, answers)

    def select(self, contacts: Iterable[Contact], answers: Answers = NO_ANSWERS) -> list[Contact]:
        """Those of the contacts who are in the segment, in their order."""
        test = self.test
        return [contact for contact in contacts if test(contact, answers)]


def segment_for(config: "ContactsConfig", audience: object, *, where: str = "") -> Segment:
    """The segment that a campaign's `audience` means, as `rule_for` finds it."""
    rule = rule_for(config, audience, where=where)
    return make_segment(audience if isinstance(audience, str) else "inline", rule, where=where)


def rule_for(
    config: "ContactsConfig", audience: object, *, where: str = "", refusal: Refusal = CampaignError
) -> SegmentRule:
    """The rule that `audience` means, whole: a segment's name, a table like one, or `accepted:<campaign>/<mailing>`.

    `where` names the campaign file. Raises `refusal` for an unknown segment, key or country, or another thing.
    """
    if isinstance(audience, Mapping):
        rule = validate(SegmentRule, audience, where=where, refusal=refusal, table="audience")
    elif not isinstance(audience, str):
        raise refusal(
            "“audience” must be the name of a segment, or a table like one",
            where=where,
            mend='Write audience = "members", or audience = { status = "member", country = ["FR", "BE"] }.',
        )
    elif audience in config.segment:
        rule = config.segment[audience]
    elif audience.startswith(ACCEPTED):
        asked = {"accepted": audience.removeprefix(ACCEPTED)}
        rule = validate(SegmentRule, asked, where=where, refusal=refusal, table="audience")
    else:
        raise refusal(f"there is no segment “{audience}”", where=where, mend=known_segments(audience, config.segment))
    try:
        whole = expanded(rule, config.segment)
        require_shallow(whole.written())
    except ValueError as error:
        raise refusal(f"“audience”: {error}", where=where) from None
    return whole


def make_segment(name: str, rule: SegmentRule, *, where: str = "") -> Segment:
    """Make a rule ready for matching; it names no other segments any more (`expanded`)."""
    mailings: set[MailingRef] = set()
    return Segment(name=name, test=_test(rule, mailings), mailings=frozenset(mailings), where=where)


def _test(rule: SegmentRule, mailings: set[MailingRef]) -> Test:
    """The rule as one function; the mailings it asks about are added to `mailings`."""
    tests = [make(words) for field, make in _FIELDS.items() if (words := getattr(rule, field))]
    if rule.accepted:
        tests.append(_accepted(rule.accepted, mailings))
    if rule.any_of:
        tests.append(_any([_test(each, mailings) for each in rule.any_of]))
    tests += [_test(each, mailings) for each in rule.all_of or ()]
    if rule.excluded is not None:
        tests.append(_not(_test(rule.excluded, mailings)))
    return tests[0] if len(tests) == 1 else _all(tests)


def _all(tests: list[Test]) -> Test:
    def test(contact: Contact, answers: Answers) -> bool:
        for each in tests:  # noqa: SIM110 (a generator costs more than what it would ask)
            if not each(contact, answers):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    def test(contact: Contact, answers: Answers) -> bool:
        for each in tests:  # noqa: SIM110
            if each(contact, answers):
                return True
        return False

    return test


def _not(inner: Test) -> Test:
    return lambda contact, answers: not inner(contact, answers)


def _accepted(words: tuple[str, ...], mailings: set[MailingRef]) -> Test:
    refs = [read_mailing(word) for word in words]
    mailings |= {*refs}
    return lambda contact, answers: any(contact.contact_id in answers[ref] for ref in refs)


class _Remembered(dict[Hashable, bool]):
    """What was decided for each value: a list of a million has few countries. Forgets before it grows large."""

    def __init__(self, decide: _Holds) -> None:
        self._decide = decide

    def __missing__(self, value: Hashable) -> bool:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[value] = verdict = self._decide(value)
        return verdict


def _shared(field: str, decide: _Holds) -> Test:
    """The test of a field whose values many contacts share."""
    get, verdicts = attrgetter(field), _Remembered(decide)
    return lambda contact, _: verdicts[get(contact)]


def _own(field: str, decide: _Holds) -> Test:
    """The test of a field whose values nearly everybody has for themselves."""
    get = attrgetter(field)
    return lambda contact, _: decide(get(contact))


def _one_of(words: tuple[str, ...]) -> _Holds:
    """Whether a text is one of the words, which may have a `*` in them; "" is the text that is missing."""
    exact = frozenset(_folded(word) for word in words if "*" not in word)
    pattern = _pattern(word for word in words if "*" in word)
    if pattern is None:
        return lambda value: value.casefold() in exact
    return lambda value: value.casefold() in exact or bool(value and pattern.fullmatch(value.casefold()))


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for all words with a `*`, which is the only sign that means more than itself."""
    parts = [fnmatch.translate(re.sub(r"[\[?]", r"[\g<0>]", _folded(word))) for word in words]
    return re.compile("|".join(parts)) if parts else None


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()


def _text(field: str) -> _Maker:
    return lambda words: _shared(field, _one_of(words))


def _own_text(field: str) -> _Maker:
    return lambda words: _own(field, _one_of(words))


def _several(field: str) -> _Maker:
    """Whether one of several values is wanted; "" is none at all."""

    def make(words: tuple[str, ...]) -> Test:
        holds, or_none = _one_of(words), "" in words
        return _shared(field, lambda values: any(map(holds, values)) if values else or_none)

    return make


def _topics(words: tuple[str, ...]) -> Test:
    """Those of the list, and those that somebody has turned on for themselves."""
    listed, holds = _several("topics")(words), _one_of(words)
    return lambda contact, answers: listed(contact, answers) or any(map(holds, contact.chosen))


def _country(words: tuple[str, ...]) -> Test:
    codes = frozenset(find_country(word) if word else "" for word in words)
    return _shared("country", codes.__contains__)


def _language(words: tuple[str, ...]) -> Test:
    """A tag stands for those that begin with it (RFC 4647, 3.3.1)."""
    wanted = frozenset(find_language(word).casefold() if word else "" for word in words)

    def holds(tag: str) -> bool:
        parts = tag.casefold().split("-")
        return any("-".join(parts[:length]) in wanted for length in range(1, len(parts) + 1))

    return _shared("language", holds)


def _address(words: tuple[str, ...]) -> Test:
    known = [addresses.key(read_address(word)) for word in words if word]
    domains = tuple(word[1:] for word in known if word.startswith("@") and "*" not in word)
    in_domains = _Remembered(lambda host: addresses.is_allowed(f"a@{host}", domains))
    holds = _one_of((*(word for word in known if word[1:] not in domains), *("" for word in words if not word)))
    return _own("address", lambda value: holds(value) or in_domains[addresses.domain(value)])


def _id(words: tuple[str, ...]) -> Test:
    """Ids compare as written: "a1" and "A1" may be two people."""
    wanted = frozenset(words)
    return _own("external_id", lambda value: value in wanted or value.partition(":")[2] in wanted - {""})


_FIELDS: dict[str, _Maker] = {
    "status": _text("status"),
    "country": _country,
    "language": _language,
    "timezone": _text("timezone"),
    "organisation": _text("organisation"),
    "source": _text("source"),
    "themes": _several("themes"),
    "topics": _topics,
    "first_name": _text("first_name"),
    "name": _own_text("name"),
    "address": _address,
    "id": _id,
}
"""How each key of a rule is asked: the cheap questions first."""
