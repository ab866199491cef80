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
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, Signal, SignalKind, Suppression
from mlgroup_mail.store import Connection, Store, suppressions
from mlgroup_mail.store.contacts import find_topics
from mlgroup_mail.store.preferences import turn_off, turn_on
from mlgroup_mail.store.readers import Reader, asked_by_page, find_readers

BY_THE_READER = "the reader"
_OWN_ROADS = frozenset({Road.PAGE, Road.MAILBOX})
_NOBODY = Reader(contact_id=0, address="nobody@nowhere.invalid", language="")


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


def change_for(choices: Choices, asked: Mapping[str, bool]) -> Change:
    """What `asked` (topic -> on or off) changes. Topics it does not name stay as they are, as does what is not theirs.

    Who has left everything and turns some topics on gets these and no others.
    """
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
    reader = find_readers(connection, [contact_id]).get(contact_id, _NOBODY)
    # Asked for nobody, too: the time must not tell.
    rules = suppressions.suppressions(connection, address=reader.address, contact_id=reader.contact_id)
    found = find_topics(connection, reader.contact_id)
    if reader is _NOBODY or found is None:
        return Choices()
    rules = [rule for rule in rules if rule.restriction is Restriction.SUPPRESSION]
    own = tuple(rule for rule in rules if _is_own(rule, reader))
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
    store: Store, contact_id: int, asked: Mapping[str, bool], topics: Mapping[str, bool], *, now: datetime
) -> bool:
    """Give the person whose link has this number what they ask for, durably; whether that changed anything."""
    with store.reading() as connection:
        if not change_for(choices_of(connection, contact_id, topics), asked):
            return False
    with store.deciding() as connection:
        return choose_within(connection, contact_id, asked, topics, now=now)


def choose_within(
    connection: Connection, contact_id: int, asked: Mapping[str, bool], topics: Mapping[str, bool], *, now: datetime
) -> bool:
    """The same within a transaction that is `deciding` already."""
    choices = choices_of(connection, contact_id, topics)
    change = change_for(choices, asked)
    person = choices.contact_id
    _lift(connection, choices, change.lift, now=now)
    apply_within(connection, _opt_outs(connection, person, change.opt_out, now), now=now)
    turn_off(connection, person, change.turn_off)
    turn_on(connection, person, change.turn_on, now=now)
    return bool(change)


def _is_own(rule: Suppression, reader: Reader) -> bool:
    """Whether they have asked for it themselves: in their name, or from their mailbox before it had one here."""
    theirs = rule.contact_id == reader.contact_id
    before = rule.contact_id is None and rule.address == addresses.key(reader.address)
    return rule.kind is SignalKind.OPT_OUT and rule.road in _OWN_ROADS and (theirs or before)


def _lift(connection: Connection, choices: Choices, topics: Iterable[str], *, now: datetime) -> None:
    for topic in sorted(topics):
        suppressions.end_rules(
            connection,
            [rule for rule in choices.own if rule.topic == topic],
            contact_id=choices.contact_id,
            topic=topic,
            by=BY_THE_READER,
            reason="turned on again by themselves",
            now=now,
            road=Road.PAGE,
        )


def _opt_outs(connection: Connection, contact_id: int, topics: Iterable[str], now: datetime) -> list[Signal]:
    asked = asked_by_page(connection, [contact_id])
    signals = []
    for topic in sorted(topics):
        times, _ = asked.get((contact_id, topic), (0, False))
        again = f", for the {times + 1}. time" if times else ""
        signals.append(
            Signal(
                kind=SignalKind.OPT_OUT,
                topic=topic,
                road=Road.PAGE,
                at=now,
                contact_id=contact_id,
                reason="turned off on the page of topics",
                evidence=f"the page of topics{again}",
            )
        )
    return signals
