"""The provider's suppression lists: how far each was read, what came of it, what is to be done there."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, exists, false, insert, select, true, tuple_, update

from mlgroup_mail import addresses
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, SignalKind, Suppression
from mlgroup_mail.model.provider_list import ListEntry, ProviderList
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import count, insert_new

_LIST, _ENTRY = schema.provider_list, schema.provider_entry
_PUSH, _REMOVAL = schema.provider_push, schema.provider_removal
_RULE = schema.suppression

_OURS = (SignalKind.OPT_OUT, SignalKind.COMPLAINT)
"""Kinds of rules that are pushed. Bounces the provider knows itself."""

_IN_DOUBT = timedelta(seconds=2)
"""The provider's times are in whole seconds, and so is what it says of its clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """Whom a lift takes off which list, by each `spelling` under which the provider may have them."""

    key: str
    on: ProviderList
    spellings: tuple[str, ...]


def read_until(connection: Connection, on: ProviderList) -> datetime | None:
    """How far a list was read; None where it never was."""
    return connection.execute(select(_LIST.c.read_until).where(_LIST.c.name == on)).scalar()


def keep_read_until(connection: Connection, on: ProviderList, moment: datetime) -> None:
    """It was read up to there."""
    connection.execute(delete(_LIST).where(_LIST.c.name == on))
    connection.execute(insert(_LIST).values(name=on, read_until=moment))


def new_entries(connection: Connection, entries: Sequence[ListEntry], *, ahead: timedelta) -> list[ListEntry]:
    """Those that were not read before, each once, and were not there already when a person lifted what they say.

    `ahead`: how far our clock is ahead of the provider's. In doubt somebody unsubscribed after the lift.
    """
    told = {_key(entry): entry for entry in entries}
    mailboxes = {key for key, _, _ in told}
    known = connection.execute(
        select(_ENTRY.c.address_key, _ENTRY.c.list, _ENTRY.c.created).where(_ENTRY.c.address_key.in_(mailboxes))
    )
    for key, on, at in known:
        told.pop((key, on, at), None)
    lifted = {
        (key, on): at
        for key, on, at in connection.execute(
            select(_REMOVAL.c.address_key, _REMOVAL.c.list, _REMOVAL.c.asked_at).where(
                _REMOVAL.c.address_key.in_(mailboxes)
            )
        )
    }
    return [
        entry
        for (key, on, at), entry in told.items()
        if (key, on) not in lifted or at + ahead > lifted[key, on] - _IN_DOUBT
    ]


def _key(entry: ListEntry) -> tuple[str, str, datetime]:
    return (addresses.key(entry.address), entry.on, entry.at)


def keep_entries(connection: Connection, entries: Iterable[ListEntry]) -> None:
    """They were read, and count no second time."""
    values = sorted((*_key(entry), entry.bounce or "", entry.listed) for entry in entries)
    insert_new(connection, _ENTRY, values, columns=("address_key", "list", "created", "bounce", "address"))


def pushed_among(connection: Connection, mailboxes: Collection[str]) -> set[str]:
    """Those of these whom we have put on the list of unsubscriptions ourselves, or were just about to."""
    statement = select(_PUSH.c.address_key).where(_PUSH.c.address_key.in_(list(mailboxes)), _PUSH.c.refused == false())
    return set(connection.execute(statement).scalars())


def begin_push(connection: Connection, *, most: int, older_than: datetime, now: datetime) -> list[str]:
    """The next mailboxes to be put there: their all-topic opt-outs stand, and the provider did not tell of them.

    Noted before it is told, so that what comes back is known as ours. Those that were begun and not finished are among
    them. Inside `deciding`.
    """
    stands = and_(
        _RULE.c.lifted_number.is_(None),
        _RULE.c.restriction == Restriction.SUPPRESSION,
        _RULE.c.topic == ALL_TOPICS,
        _RULE.c.kind.in_(_OURS),
    )
    begun = select(_PUSH.c.address_key).where(_PUSH.c.done_at.is_(None)).order_by(_PUSH.c.address_key).limit(most)
    found = list(connection.execute(begun).scalars())
    new = (
        select(_RULE.c.address_key)
        .where(
            stands,
            _RULE.c.address_key != "",
            _RULE.c.road != Road.PROVIDER,
            _RULE.c.at <= older_than,
            ~exists().where(_PUSH.c.address_key == _RULE.c.address_key),
        )
        .distinct()
        .order_by(_RULE.c.address_key)
        .limit(most - len(found))
    )
    news = list(connection.execute(new).scalars()) if len(found) < most else []
    values = [(key, now, None, False) for key in news]
    insert_new(connection, _PUSH, values, columns=("address_key", "asked_at", "done_at", "refused"))
    # They are to be there again.
    connection.execute(
        delete(_REMOVAL).where(_REMOVAL.c.list == ProviderList.UNSUBSCRIBES, _REMOVAL.c.address_key.in_(news))
    )
    return [*found, *news]


def end_push(connection: Connection, mailboxes: Collection[str], *, now: datetime) -> None:
    """The provider has them. Whose opt-out was lifted meanwhile is to be taken off again. Inside `deciding`."""
    theirs = _PUSH.c.address_key.in_(list(mailboxes))
    there = set(
        connection.execute(update(_PUSH).where(theirs).values(done_at=now).returning(_PUSH.c.address_key)).scalars()
    )
    lifted = set(mailboxes) - there
    connection.execute(
        update(_REMOVAL)
        .where(_REMOVAL.c.list == ProviderList.UNSUBSCRIBES, _REMOVAL.c.address_key.in_(lifted))
        .values(done_at=None)
    )


def refuse_push(connection: Connection, mailboxes: Collection[str], *, now: datetime) -> None:
    """The provider does not take these onto its list. Nobody asks it for them again."""
    theirs = _PUSH.c.address_key.in_(list(mailboxes))
    connection.execute(update(_PUSH).where(theirs).values(done_at=now, refused=True))


def ask_removals(
    connection: Connection, lifted: Sequence[Suppression], *, mailboxes: Collection[str], now: datetime
) -> None:
    """Rules were lifted: their mailboxes are to be taken off the provider's lists that say the same. Inside `deciding`.

    Only of what is known to be there, or was told by the provider; not where another rule says the same still.
    """
    asked = {
        (key, on.value)
        for rule in lifted
        for on in ProviderList
        for key in {rule.address, *mailboxes} - {""}
        if rule.kind in on.ended_by and rule.topic == ALL_TOPICS and _may_be_there(connection, rule, key, on)
    }
    _forget_refused(connection, {rule.address for rule in lifted} | set(mailboxes))
    if not asked:
        return
    connection.execute(delete(_REMOVAL).where(tuple_(_REMOVAL.c.address_key, _REMOVAL.c.list).in_(sorted(asked))))
    connection.execute(
        insert(_REMOVAL), [{"address_key": key, "list": on, "asked_at": now} for key, on in sorted(asked)]
    )
    unsubscribed = [key for key, on in asked if on == ProviderList.UNSUBSCRIBES]
    connection.execute(delete(_PUSH).where(_PUSH.c.address_key.in_(unsubscribed)))


def _forget_refused(connection: Connection, mailboxes: Collection[str]) -> None:
    """What the provider did not take there is not known of those for whom nothing stands any more."""
    stands = exists().where(
        _RULE.c.address_key == _PUSH.c.address_key, _RULE.c.lifted_number.is_(None), _RULE.c.topic == ALL_TOPICS
    )
    connection.execute(delete(_PUSH).where(_PUSH.c.address_key.in_(mailboxes), _PUSH.c.refused == true(), ~stands))


def _may_be_there(connection: Connection, rule: Suppression, key: str, on: ProviderList) -> bool:
    still = count(
        connection,
        _RULE,
        _RULE.c.lifted_number.is_(None),
        _RULE.c.address_key == key,
        _RULE.c.kind.in_([kind.value for kind in on.ended_by]),
        _RULE.c.topic == ALL_TOPICS,
    )
    if still:
        return False
    told = rule.road is Road.PROVIDER and key == rule.address
    pushed = on is ProviderList.UNSUBSCRIBES and bool(pushed_among(connection, [key]))
    return told or pushed or bool(count(connection, _ENTRY, _ENTRY.c.address_key == key, _ENTRY.c.list == on))


def removals_to_do(connection: Connection) -> list[Removal]:
    """Whom a lift takes off which list, and nobody has yet."""
    same = and_(_ENTRY.c.address_key == _REMOVAL.c.address_key, _ENTRY.c.list == _REMOVAL.c.list)
    statement = (
        select(_REMOVAL.c.address_key, _REMOVAL.c.list, _ENTRY.c.address)
        .outerjoin(_ENTRY, same)
        .where(_REMOVAL.c.done_at.is_(None))
    )
    spellings: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key, on, listed in connection.execute(statement):
        spellings[key, on] |= {key, listed or key}
    return [
        Removal(key=key, on=ProviderList(on), spellings=tuple(sorted(found)))
        for (key, on), found in sorted(spellings.items())
    ]


def end_removal(connection: Connection, key: str, on: ProviderList, *, now: datetime) -> None:
    """The provider has it no more."""
    connection.execute(update(_REMOVAL).where(_REMOVAL.c.address_key == key, _REMOVAL.c.list == on).values(done_at=now))
