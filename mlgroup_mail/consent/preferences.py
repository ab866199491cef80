"""The page of topics: what somebody gets, what of it they can turn on and off there, and doing so.

Turning a topic off is an opt-out like any other. Turning it on again ends what they have asked for themselves, on our
pages or by mail, and nothing else: what a complaint, the mailbox, the provider, a file or the team has said stays. A
topic that they would not get anyhow is turned on by a choice that is stored beside what their list says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.consent.readers_own import NOBODY, end_own, find_reader, is_own, opt_out_by_page, rules_against
from mlgroup_mail.model import ALL_TOPICS, Signal, Suppression
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.contacts import find_topics
from mlgroup_mail.store.preferences import turn_off, turn_on
from mlgroup_mail.store.readers import Reader, asked_by_page


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """How it stands with each topic of the project, for one person; empty for a link that is nobody's.

    `address` is masked. `subscribed` are the topics that list and choices give them, whatever opt-outs stand;
    `turned_on` are those of them that are a choice. `own` are the rules they can end themselves, `others` the topics
    that rules of other roads stop, `ALL_TOPICS` among them. Who is not `listed` gets nothing anyhow.
    """

    contact_id: int = 0
    address: str = ""
    language: str = ""
    listed: bool = False
    topics: tuple[str, ...] = ()
    subscribed: frozenset[str] = field(default_factory=frozenset)
    turned_on: frozenset[str] = field(default_factory=frozenset)
    own: tuple[Suppression, ...] = ()
    others: frozenset[str] = field(default_factory=frozenset)

    @property
    def left(self) -> frozenset[str]:
        """The topics, or `ALL_TOPICS`, that they have opted out of themselves."""
        return frozenset(rule.topic for rule in self.own)

    @property
    def stopped(self) -> bool:
        """Whether nothing reaches them that they could turn on."""
        return not self.listed or ALL_TOPICS in self.others

    def is_on(self, topic: str) -> bool:
        """Whether they get mail on this topic."""
        out = self.left | self.others
        return self.listed and topic in self.subscribed and topic not in out and ALL_TOPICS not in out

    def is_theirs(self, topic: str) -> bool:
        """Whether turning it on is theirs to do."""
        return not self.stopped and topic not in self.others


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What to do so that somebody gets what they ask for."""

    lift: frozenset[str]
    opt_out: frozenset[str]
    turn_on: frozenset[str]
    turn_off: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.lift or self.opt_out or self.turn_on or self.turn_off)


_NOTHING = Change(lift=frozenset(), opt_out=frozenset(), turn_on=frozenset(), turn_off=frozenset())


def change_for(choices: Choices, asked: Mapping[str, bool], *, knowing: bool) -> Change:
    """What `asked` (topic -> on or off) changes. Topics it does not name stay as they are, as does what is not theirs.

    Who has left everything, `knowing` it, and turns some topics on gets these and no others. Who could not know it
    (their page is older) turns nothing on.
    """
    if ALL_TOPICS in choices.left and not knowing:
        return _NOTHING
    on = {
        topic for topic in choices.topics if asked.get(topic) and choices.is_theirs(topic) and not choices.is_on(topic)
    }
    off = {topic for topic in choices.topics if asked.get(topic) is False and choices.is_on(topic)}
    lift = on & choices.left
    if on and ALL_TOPICS in choices.left:
        lift |= {ALL_TOPICS}
        off |= choices.subscribed - choices.left - choices.others - on
    return Change(
        lift=frozenset(lift),
        opt_out=frozenset(off),
        turn_on=frozenset(on - choices.subscribed),
        turn_off=frozenset(off & choices.turned_on),
    )


def choices_of(connection: Connection, contact_id: int, topics: Mapping[str, bool]) -> Choices:
    """How it stands for the person whose link has this number. `topics`: those of the project, on by default or not."""
    reader = find_reader(connection, contact_id)
    rules = rules_against(connection, reader)
    found = find_topics(connection, reader.contact_id)
    if reader is NOBODY or found is None:
        return Choices()
    own = tuple(rule for rule in rules if is_own(rule, reader))
    by_list = set(found.listed) & topics.keys() if found.listed else {topic for topic, on in topics.items() if on}
    return Choices(
        contact_id=reader.contact_id,
        address=addresses.mask(reader.address),
        language=reader.language,
        listed=found.on_the_list,
        topics=tuple(topics),
        subscribed=frozenset(by_list | (set(found.chosen) & topics.keys())),
        turned_on=frozenset(found.chosen),
        own=own,
        others=frozenset(rule.topic for rule in rules if rule not in own),
    )


def choose(
    store: Store,
    contact_id: int,
    asked: Mapping[str, bool],
    topics: Mapping[str, bool],
    *,
    knowing: bool,
    now: datetime,
) -> bool:
    """Give the person whose link has this number what they ask for, durably; whether that changed anything.

    `knowing`: whether they were told of it where they have left everything.
    """
    with store.reading() as connection:
        if not change_for(choices_of(connection, contact_id, topics), asked, knowing=knowing):
            return False
    with store.deciding() as connection:
        return choose_within(connection, contact_id, asked, topics, knowing=knowing, now=now)


def choose_within(
    connection: Connection,
    contact_id: int,
    asked: Mapping[str, bool],
    topics: Mapping[str, bool],
    *,
    knowing: bool,
    now: datetime,
) -> bool:
    """The same within a transaction that is `deciding` already."""
    choices = choices_of(connection, contact_id, topics)
    change = change_for(choices, asked, knowing=knowing)
    reader = find_reader(connection, contact_id)
    for topic in sorted(change.lift):
        end_own(connection, reader, choices.own, topic, reason="turned on again by themselves", now=now)
    apply_within(connection, _opt_outs(connection, reader, change.opt_out, now), now=now)
    turn_off(connection, reader.contact_id, change.turn_off)
    turn_on(connection, reader.contact_id, change.turn_on, now=now)
    return bool(change)


def _opt_outs(connection: Connection, reader: Reader, topics: Iterable[str], now: datetime) -> list[Signal]:
    asked = asked_by_page(connection, [reader.contact_id])
    return [
        opt_out_by_page(
            reader,
            topic,
            reason="turned off on the page of topics",
            evidence="the page of topics",
            before=asked.get((reader.contact_id, topic), (0, False))[0],
            at=now,
        )
        for topic in sorted(topics)
    ]
