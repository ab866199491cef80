"""Who is in a segment: how many, how many of them could be written to, and a few of them by name."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.contacts.segments import make_segment, rule_for
from mlgroup_mail.contacts.unmet_words import UnmetWords, words_of
from mlgroup_mail.delivery.answers import answers_for
from mlgroup_mail.errors import MailError, UsageError
from mlgroup_mail.model import ALL_TOPICS, Contact
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.settings.app import App
from mlgroup_mail.store import Connection
from mlgroup_mail.store.contacts import contacts_after, count_contacts

EXAMPLES = 10
_CHUNK = 2000
_COUNTED = ("status", "country", "language", "timezone", "organisation", "source", "themes", "topics")
"""The fields whose values many share: those of a rule are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentSize:
    """How many of the stored list are in a segment, and how many of them no rule on all topics keeps out.

    `problem` says why nobody can tell.
    """

    name: str
    rule: str
    contacts: int = 0
    reachable: int = 0
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        size = {"segment": self.name, "rule": self.rule, "contacts": self.contacts, "reachable": self.reachable}
        return size | ({"problem": self.problem} if self.problem else {})


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentView:
    """One segment, looked at.

    `counts` are those of the values that its people have in the fields that the rule names, `nobody_has` the words
    of the rule, as (key, word), that nobody on the whole list has.
    """

    size: SegmentSize
    listed: int
    counts: Mapping[str, Counter[str]]
    nobody_has: tuple[tuple[str, str], ...]
    examples: tuple[Contact, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **self.size.as_json(),
            "listed": self.listed,
            "counts": {field: dict(counter.most_common()) for field, counter in self.counts.items()},
            "nobody_has": [{"key": key, "word": word} for key, word in self.nobody_has],
            "examples": [
                {
                    "contact_id": person.contact_id,
                    "address": person.address,
                    "name": person.name,
                    "organisation": person.organisation,
                    "country": person.country,
                    "status": person.status,
                }
                for person in self.examples
            ],
        }


def view_segment(app: App, what: object, *, progress: Progress = silent) -> SegmentView:
    """Look at a segment of `contacts.toml`, at `accepted:<campaign>/<mailing>`, or at a table like a segment.

    Raises UsageError for an unknown one, CampaignError where it asks about a mailing that has no audience yet.
    """
    name = what if isinstance(what, str) else "rule"
    rule = rule_for(app.contacts, what, where="" if isinstance(what, str) else "--rule", refusal=UsageError)
    segment = make_segment(name, rule)
    named = list(words_of(rule))
    counts = {key: Counter[str]() for key, _ in named if key in _COUNTED}
    unmet = UnmetWords(named)
    contacts = reachable = 0
    examples: list[Contact] = []
    with app.store.reading() as connection:
        for people in _chunks(connection, progress):
            answers = answers_for(connection, segment, people)
            unmet.look(people, answers)
            chosen = segment.select(people, answers)
            contacts += len(chosen)
            reachable += len(chosen) - len(_restricted(connection, chosen))
            examples += chosen[: EXAMPLES - len(examples)]
            for field, counter in counts.items():
                counter.update(value for person in chosen for value in _values(person, field))
    written = app.contacts.segment[name].text() if name in app.contacts.segment else rule.text()
    return SegmentView(
        size=SegmentSize(name=name, rule=written, contacts=contacts, reachable=reachable),
        listed=unmet.listed,
        counts=counts,
        nobody_has=unmet.words,
        examples=tuple(examples),
    )


def size_segments(app: App, *, progress: Progress = silent) -> list[SegmentSize]:
    """The size of every segment of `contacts.toml`, in its order; the list is read once for all of them."""
    rules = app.contacts.segment
    segments = {name: make_segment(name, rule_for(app.contacts, name)) for name in rules}
    contacts, reachable, problems = Counter[str](), Counter[str](), dict[str, str]()
    with app.store.reading() as connection:
        for name, segment in segments.items():
            try:
                answers_for(connection, segment, [])
            except MailError as error:
                problems[name] = error.problem.message
        usable = [segment for name, segment in segments.items() if name not in problems]
        for people in _chunks(connection, progress):
            restricted = _restricted(connection, people)
            for segment in usable:
                chosen = segment.select(people, answers_for(connection, segment, people))
                contacts[segment.name] += len(chosen)
                reachable[segment.name] += sum(person.contact_id not in restricted for person in chosen)
    return [
        SegmentSize(
            name=name,
            rule=rule.text(),
            contacts=contacts[name],
            reachable=reachable[name],
            problem=problems.get(name, ""),
        )
        for name, rule in rules.items()
    ]


def _chunks(connection: Connection, progress: Progress) -> Iterator[list[Contact]]:
    """The stored list, a few thousand people at a time."""
    total, done, last = count_contacts(connection), 0, 0
    while people := contacts_after(connection, last, _CHUNK):
        yield people
        last, done = people[-1].contact_id, done + len(people)
        progress(done, total)


def _restricted(connection: Connection, people: Sequence[Contact]) -> Mapping[int, object]:
    """Those whom no mail of any topic may go to."""
    return restrictions(connection, {person.contact_id: person.address for person in people}, ALL_TOPICS)


def _values(person: Contact, field: str) -> tuple[str, ...]:
    value: str | tuple[str, ...] = getattr(person, field)
    return (value,) if isinstance(value, str) else value or ("",)
