"""What of the ledger is one person's: for telling it to them, and for forgetting it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select

from mlgroup_mail import addresses
from mlgroup_mail.model import MailingRef
from mlgroup_mail.store import schema
from mlgroup_mail.store.contact_lookup import find_person, numbers_of, read_address
from mlgroup_mail.store.transactions import count, rows

_CONTACT, _KNOWN, _DELIVERY = schema.contact, schema.contact_address, schema.delivery
_SIGNAL, _RULE, _COURTESY, _JOURNAL = schema.signal, schema.suppression, schema.courtesy, schema.journal
_MAILING = schema.mailing

_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Belongings:
    """A person: their number (None: nobody's on the list), those of rows that proved to be theirs, and mailboxes.

    `own` are address keys that are theirs alone, `shared` those that somebody else on the list has or had too.
    """

    contact_id: int | None
    numbers: tuple[int, ...]
    own: frozenset[str]
    shared: frozenset[str]

    @property
    def deliveries(self) -> ColumnElement[bool]:
        """The condition on `delivery`."""
        return and_(_DELIVERY.c.contact_id.in_(self.numbers), schema.OF_ANY_MAILING)

    @property
    def journal(self) -> ColumnElement[bool]:
        """The condition on `journal`."""
        theirs = select(_DELIVERY.c.id).where(self.deliveries)
        return or_(_JOURNAL.c.contact_id.in_(self.numbers), _JOURNAL.c.delivery_id.in_(theirs))

    @property
    def rules(self) -> ColumnElement[bool]:
        """The condition on `suppression`."""
        return or_(_RULE.c.contact_id.in_(self.numbers), _RULE.c.address_key.in_(self.own))


def belongings(connection: Connection, who: str) -> Belongings:
    """Whose this address or number is, with all that they had; raises UsageError where several people are meant.

    Of somebody who is nobody on the list it is the address itself: an opt-out may name it.
    """
    person = find_person(connection, who)
    numbers = numbers_of(connection, person["id"]) if person else []
    mailboxes = _mailboxes(connection, numbers)
    if person is None and not who.isdigit():
        mailboxes = {addresses.key(read_address(who))}
    shared = _of_others(connection, mailboxes, numbers)
    return Belongings(
        contact_id=person["id"] if person else None,
        numbers=tuple(numbers),
        own=frozenset(mailboxes - shared),
        shared=frozenset(shared),
    )


def of_numbers(connection: Connection, numbers: Sequence[int]) -> Belongings:
    """What these people have together, of whom nobody asks by name."""
    mailboxes = _mailboxes(connection, numbers)
    shared = _of_others(connection, mailboxes, numbers)
    return Belongings(
        contact_id=None, numbers=tuple(numbers), own=frozenset(mailboxes - shared), shared=frozenset(shared)
    )


def _mailboxes(connection: Connection, numbers: Sequence[int]) -> set[str]:
    known = connection.execute(select(_KNOWN.c.address_key).where(_KNOWN.c.contact_id.in_(numbers))).scalars()
    present = connection.execute(select(_CONTACT.c.address_key).where(_CONTACT.c.id.in_(numbers))).scalars()
    return {*known, *present} - {""}


def _of_others(connection: Connection, mailboxes: set[str], numbers: Sequence[int]) -> set[str]:
    """A mailbox that passed on is its present holder's; one that this person only had, anybody's who has or had it."""
    present = select(_KNOWN.c.address_key).where(_KNOWN.c.contact_id.in_(numbers), _KNOWN.c.current)
    statement = (
        select(_KNOWN.c.address_key)
        .join(_CONTACT, _CONTACT.c.id == _KNOWN.c.contact_id)
        .where(
            _KNOWN.c.address_key.in_(mailboxes),
            _KNOWN.c.contact_id.not_in(numbers),
            or_(_KNOWN.c.current, _KNOWN.c.address_key.not_in(present)),
            _CONTACT.c.left_at.is_(None),
        )
    )
    return set(connection.execute(statement).scalars())


def signals_of(connection: Connection, theirs: Belongings) -> list[int]:
    """The signals that name the person, and those of before anybody had their address."""
    named = or_(_SIGNAL.c.contact_id.in_(theirs.numbers), _SIGNAL.c.contact_id.is_(None))
    statement = select(_SIGNAL.c.id, _SIGNAL.c.address, _SIGNAL.c.contact_id).where(named)
    return [
        row.id
        for row in connection.execute(statement.execution_options(yield_per=_AT_ONCE))
        if row.contact_id is not None or addresses.key(row.address) in theirs.own
    ]


def courtesies_of(connection: Connection, theirs: Belongings) -> list[int]:
    """Mail outside mailings that went to them."""
    found = rows(connection, select(_COURTESY.c.id, _COURTESY.c.address).where(_COURTESY.c.address != ""))
    return [row["id"] for row in found if addresses.key(row["address"]) in theirs.own]


def name_of(connection: Connection, theirs: Belongings) -> str:
    """The name that the list has for them; "" for nobody's on the list."""
    statement = select(_CONTACT.c.name).where(_CONTACT.c.id == theirs.contact_id)
    return connection.execute(statement).scalar_one_or_none() or ""


def count_rules(connection: Connection, theirs: Belongings) -> int:
    """How many rules there are that reach them, lifted ones too."""
    return count(connection, _RULE, theirs.rules)


def deliveries_by_mailing(connection: Connection, theirs: Belongings) -> dict[MailingRef, list[int]]:
    """The numbers of their deliveries, by mailing."""
    statement = (
        select(_MAILING.c.campaign, _MAILING.c.name, _DELIVERY.c.id)
        .join(_DELIVERY, _DELIVERY.c.mailing_id == _MAILING.c.id)
        .where(theirs.deliveries)
        .order_by(_MAILING.c.send_at, _DELIVERY.c.id)
    )
    found: dict[MailingRef, list[int]] = {}
    for campaign, name, delivery_id in connection.execute(statement):
        found.setdefault(MailingRef(campaign, name), []).append(delivery_id)
    return found


WITH_WORDS_OF_THEIR_OWN = frozenset(
    {
        *("contact", "contact_address", "delivery", "attempt", "delivery_event", "provider_alias"),
        *("signal", "suppression", "courtesy", "journal"),
    }
)
"""The tables of which telling and forgetting know what each column means."""


def other_rows(theirs: Belongings) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Every further table that names people, with the condition for this one: also one that somebody adds later."""
    deliveries = select(_DELIVERY.c.id).where(theirs.deliveries)
    signals = select(_SIGNAL.c.id).where(_SIGNAL.c.contact_id.in_(theirs.numbers))
    for table in schema.metadata.sorted_tables:
        named = [table.c[name].in_(theirs.numbers) for name in ("contact_id",) if name in table.c]
        named += [table.c[name].in_(deliveries) for name in ("delivery_id",) if name in table.c]
        named += [table.c[name].in_(signals) for name in ("signal_id",) if name in table.c]
        named += [func.lower(table.c[name]).in_(theirs.own) for name in ("address_key", "address") if name in table.c]
        if named and table.name not in WITH_WORDS_OF_THEIR_OWN:
            yield table, or_(*named)


def is_known(connection: Connection, theirs: Belongings) -> bool:
    """Whether the ledger holds anything of them."""
    return bool(
        theirs.numbers
        or connection.execute(select(_RULE.c.id).where(theirs.rules).limit(1)).first()
        or signals_of(connection, theirs)
        or courtesies_of(connection, theirs)
        or any(count(connection, table, condition) for table, condition in other_rows(theirs))
    )
