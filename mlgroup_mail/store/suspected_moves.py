"""Somebody vanished from the list, and a new one has the same name and no other organisation: perhaps they moved.

Found before a pull is written. Where the vanished one had opted out, the new one is held until a person decides
(`store.moving`): their wish must not end with their old address.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, case, exists, func, insert, not_, or_, select

from mlgroup_mail import addresses
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.staging import CHUNK, found, gone, incoming, newcomer, suspect, vanished
from mlgroup_mail.store.suppressions import STANDING, add_suppressions, record_signals
from mlgroup_mail.store.transactions import chunked, count, load

_TABLE, _KNOWN, _RULE = schema.contact, schema.contact_address, schema.suppression

_OPTED_OUT = exists().where(
    STANDING,
    _RULE.c.kind != SignalKind.BOUNCE,
    or_(
        _RULE.c.contact_id == _TABLE.c.id,
        and_(_RULE.c.address_key != "", _RULE.c.address_key == _TABLE.c.address_key),
        and_(
            _RULE.c.contact_id.is_(None),
            _RULE.c.address_key.in_(select(_KNOWN.c.address_key).where(_KNOWN.c.contact_id == _TABLE.c.id)),
        ),
    ),
)
"""Whether a rule of any topic stands against a contact, as `suppressions.standing_rules` has it."""

SUSPICION = "suspected move of contact "
"""How the evidence of a hold begins that waits for the answer; the number of the vanished contact follows."""

_SHOWN = 200

_BETWEEN_WORDS = frozenset("PSZC")
"""Punctuation, symbols, separators, control characters: the first letters of their Unicode categories."""
_BETWEEN_ASCII_WORDS = re.compile(r"[\x00-\x2f\x3a-\x60\x7b-\x7f]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspectedMove:
    """A vanished person and a new one who may be the same. `to_id` is 0 while the new one is not stored.

    `held` tells that the vanished one had opted out of something: the new one gets no mail until somebody decides.
    """

    from_id: int
    from_masked: str
    to_id: int
    to_masked: str
    held: bool


def likeness(*texts: str) -> str:
    """What two spellings of the same texts have in common: letters without their case, blanks collapsed."""
    return "\n".join(" ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in texts)


def find_suspects(connection: Connection) -> int:
    """Fill `suspect` from what `contact_changes.compare` has found; returns how many there are.

    Who vanished counts whenever that was. A pair is shown where it is the only one with its name and organisation.
    Where a vanished one had opted out, every new one with that name is held rather than none, unless each has an
    organisation and these differ.
    """
    _compare_people(connection)
    alone = func.count().over(partition_by=(newcomer.c.name, newcomer.c.organisation)) == 1
    new = select(newcomer, alone.label("alone")).subquery()
    old_like = (vanished.c.name, vanished.c.organisation)
    old = (
        select(
            vanished,
            _OPTED_OUT.label("suppressed"),
            (func.count().over(partition_by=old_like) == 1).label("alone"),
            func.row_number()
            .over(
                partition_by=old_like,
                order_by=(
                    case((_OPTED_OUT, 0), else_=1),
                    _TABLE.c.left_at.is_not(None),
                    _TABLE.c.left_at.desc(),
                    _TABLE.c.id.desc(),
                ),
            )
            .label("rank"),
        )
        .join(_TABLE, _TABLE.c.id == vanished.c.contact_id)
        .where(vanished.c.name.in_(select(newcomer.c.name)))
        .subquery()
    )
    same = old.c.organisation == new.c.organisation
    unknown = or_(old.c.organisation == "", new.c.organisation == "")
    plain = and_(old.c.alone, new.c.alone, same, new.c.organisation != "")
    pairs = (
        select(
            new.c.position,
            old.c.contact_id,
            old.c.suppressed,
            func.row_number()
            .over(
                partition_by=new.c.position,
                order_by=(old.c.suppressed.desc(), case((same, 0), else_=1), old.c.contact_id.desc()),
            )
            .label("rank"),
        )
        .join(old, old.c.name == new.c.name)
        .where(old.c.rank == 1, or_(and_(old.c.suppressed, or_(same, unknown)), plain))
        .subquery()
    )
    best = select(pairs.c.position, pairs.c.contact_id, pairs.c.suppressed).where(pairs.c.rank == 1)
    connection.execute(insert(suspect).from_select(["position", "contact_id", "suppressed"], best))
    return count(connection, suspect)


def hold_suspects(connection: Connection, *, now: datetime) -> None:
    """Hold the new ones whose vanished likeness had opted out. After they were written, in the same transaction."""
    held = (
        select(found.c.contact_id, suspect.c.contact_id)
        .join(suspect, suspect.c.position == found.c.position)
        .where(suspect.c.suppressed)
        .order_by(found.c.contact_id)
    )
    for pairs in chunked(connection.execute(held.execution_options(yield_per=CHUNK)), CHUNK):
        signals = [
            Signal(
                kind=SignalKind.REVIEW,
                topic=ALL_TOPICS,
                road=Road.FILE,
                at=now,
                contact_id=new_id,
                reason="has the name of somebody who opted out and vanished from the list",
                evidence=f"{SUSPICION}{old_id}",
            )
            for new_id, old_id in pairs
        ]
        add_suppressions(connection, record_signals(connection, signals, now=now))


def suspected_moves(connection: Connection) -> list[SuspectedMove]:
    """Some of the pairs for people to look at, those that are held first."""
    statement = (
        select(
            suspect.c.contact_id.label("from_id"),
            _TABLE.c.address.label("from_address"),
            func.coalesce(found.c.contact_id, 0).label("to_id"),
            incoming.c.address.label("to_address"),
            suspect.c.suppressed,
        )
        .join(_TABLE, _TABLE.c.id == suspect.c.contact_id)
        .join(incoming, incoming.c.position == suspect.c.position)
        .outerjoin(found, found.c.position == suspect.c.position)
        .order_by(suspect.c.suppressed.desc(), suspect.c.position)
        .limit(_SHOWN)
    )
    return [
        SuspectedMove(
            from_id=row.from_id,
            from_masked=addresses.mask(row.from_address),
            to_id=row.to_id,
            to_masked=addresses.mask(row.to_address),
            held=row.suppressed,
        )
        for row in connection.execute(statement)
    ]


def _compare_people(connection: Connection) -> None:
    """Write down what the new ones and the vanished ones look like; nothing where either are missing."""
    known = exists().where(found.c.position == incoming.c.position)
    new = select(incoming.c.position, incoming.c.name, incoming.c.organisation).where(not_(known))
    vanished_now = exists().where(gone.c.contact_id == _TABLE.c.id)
    old = select(_TABLE.c.id, _TABLE.c.name, _TABLE.c.organisation).where(
        _TABLE.c.moved_to.is_(None),
        _TABLE.c.erased_at.is_(None),
        # It has left no list: nobody can be its new row.
        _TABLE.c.origin != schema.CANARY,
        not_(exists().where(found.c.contact_id == _TABLE.c.id)),
        or_(_TABLE.c.left_at.is_not(None), vanished_now),
    )
    if connection.execute(new.limit(1)).first() and connection.execute(old.limit(1)).first():
        load(
            connection,
            newcomer,
            _plain_people(connection, new.where(incoming.c.name != "")),
        )
        load(connection, vanished, _plain_people(connection, old.where(_TABLE.c.name != "")))


def _plain_people(connection: Connection, people: Select[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    for key, name, organisation in connection.execute(people.execution_options(yield_per=CHUNK)):
        if words := plain_words(name):
            yield key, " ".join(sorted(words)), " ".join(plain_words(organisation))


def plain_words(text: str) -> list[str]:
    """The words of a name without accents, case and punctuation: “Costa, Ána” and “ana COSTA” have the same ones."""
    if not text.isascii():
        letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
        kept = (letter for letter in letters if not unicodedata.combining(letter))
        text = "".join(" " if unicodedata.category(letter)[0] in _BETWEEN_WORDS else letter for letter in kept)
    return _BETWEEN_ASCII_WORDS.sub(" ", text.casefold()).split()
