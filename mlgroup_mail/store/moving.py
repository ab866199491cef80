"""A person has moved to another address, or proved to be two rows: one row goes on, with its opt-outs and history.

Only somebody of the team says so, with a name and a reason. A rule on the old mailbox stays there as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail import addresses
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Signal
from mlgroup_mail.store import schema
from mlgroup_mail.store.contact_lookup import find_person, numbers_of, read_address, row_of
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.moved_deliveries import redirect, unite
from mlgroup_mail.store.preferences import pass_choices_on
from mlgroup_mail.store.suppressions import add_suppressions, end_rules, record_signals, rules_of
from mlgroup_mail.store.suspected_moves import SUSPICION, likeness

_TABLE, _KNOWN = schema.contact, schema.contact_address


PASSED_ON = " (as contact "
"""Behind the evidence of a rule that stood against a row that was closed; the number of that row follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """Who has moved: the contact's number, and that of the row that was closed because it was theirs, 0 for none.

    `passed_on` opt-outs and holds went from one to the other, `redirected` deliveries go to the new address,
    `left_out` ones do not go: the person has that mailing already, or has opted out of it.
    """

    contact_id: int
    closed_id: int
    listed: bool
    passed_on: int
    redirected: int
    left_out: int


def move_person(
    connection: Connection,
    old: str,
    new: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    erased: Callable[[str], bool] = lambda _: False,
) -> Moved:
    """Give the person `old` (an address or a number) the address `new` (or that of contact number `new`).

    Inside `deciding`. `erased` tells whether an address was that of somebody who wants to be forgotten. Raises
    UsageError where nobody is `old`, or `new` is somebody else's or was theirs.
    """
    person = find_person(connection, old)
    if person is None:
        raise UsageError("nobody has or had the old address", mend="Is it spelled right? A contact's number will do.")
    address = _new_address(connection, new)
    if erased(address):
        raise UsageError(
            "the new address was that of somebody who wants to be forgotten: nothing is sent to it",
            mend="Give the person another address.",
        )
    if addresses.key(address) == person["address_key"]:
        raise UsageError(f"contact {person['id']} has this address already")
    other = _other_row(connection, person, addresses.key(address))
    if other is None:
        moved = _move(connection, person, address, now=now)
    else:
        moved = _make_one(connection, person, other, address, by=by, now=now)
    write_journal(connection, None, "move", reason=reason, actor=by, now=now, contact_id=moved.contact_id)
    return moved


def keep_apart(connection: Connection, old: str, new: str, *, by: str, reason: str, now: datetime) -> int:
    """A suspected move was none: end the hold on `new` that waited for this answer. Returns the number of `new`.

    Inside `deciding`. Opt-outs of either stay as they are. Raises UsageError where no such answer is waited for.
    """
    first, second = find_person(connection, old), find_person(connection, new)
    if first is None or second is None or first["id"] == second["id"]:
        raise UsageError("these are not two people who are known here")
    if not _end_suspicion(connection, first["id"], second["id"], by=by, reason=reason, now=now):
        raise UsageError(f"contact {second['id']} is not held as a suspected move of contact {first['id']}")
    write_journal(connection, None, "keep_apart", reason=reason, actor=by, now=now, contact_id=second["id"])
    return int(second["id"])


def _new_address(connection: Connection, new: str) -> str:
    if not (new.isascii() and new.isdigit()):
        return read_address(new)
    row = row_of(connection, int(new))
    if row is None:
        raise UsageError(f"there is no contact {new}")
    return str(row["address"])


def _other_row(connection: Connection, person: RowMapping, key: str) -> RowMapping | None:
    """The row that has the new address now and proves to be the same person's; None where it is free to take.

    A mailbox of somebody else who has left the list may be taken over; that is no reason to think they are one.
    """
    statement = (
        select(_TABLE)
        .join(_KNOWN, _KNOWN.c.contact_id == _TABLE.c.id)
        .where(_KNOWN.c.address_key == key, _KNOWN.c.current, _TABLE.c.id != person["id"])
        .order_by(_TABLE.c.left_at.is_not(None), _TABLE.c.id.desc())
    )
    other = connection.execute(statement).mappings().first()
    if other is None:
        return None
    if other["left_at"] is not None:
        return other if _may_be_one(person, other) else None
    if person["left_at"] is None:
        raise UsageError(
            f"contacts {person['id']} and {other['id']} are both on the list",
            mend="Take the row with the old address off the list, pull, and run this again.",
        )
    if not _may_be_one(person, other):
        raise UsageError(
            f"the new address is contact {other['id']}'s, who has another name or organisation",
            mend="Where they are one person, give the row in the list the same name and organisation, and pull.",
        )
    return other


def _may_be_one(one: RowMapping, other: RowMapping) -> bool:
    """Whether nothing speaks against it: a slip of the pen must not make one person of two."""
    return all(
        likeness(one[field]) == likeness(other[field]) or not (one[field] and other[field])
        for field in ("name", "organisation")
    )


def _move(connection: Connection, person: RowMapping, address: str, *, now: datetime) -> Moved:
    _settle_addresses(connection, person["id"], address, former={person["address_key"]}, now=now)
    _write(connection, person["id"], {"address": address, "address_key": addresses.key(address)}, now=now)
    redirected, left_out = redirect(connection, person["id"], address, now=now)
    return Moved(
        contact_id=person["id"],
        closed_id=0,
        listed=person["left_at"] is None,
        passed_on=0,
        redirected=redirected,
        left_out=left_out,
    )


def _make_one(
    connection: Connection, person: RowMapping, other: RowMapping, address: str, *, by: str, now: datetime
) -> Moved:
    """Two rows of one person: the older goes on, with what the row on the list says; the newer is closed."""
    kept, closed = sorted((person, other), key=lambda row: int(row["id"]))
    present = other if other["left_at"] is None else person
    _end_suspicion(connection, person["id"], other["id"], by=by, reason="moved", now=now)
    passed_on = _pass_rules_on(connection, closed["id"], kept["id"], by=by, now=now)
    _pass_addresses_on(connection, closed["id"], kept["id"])
    pass_choices_on(connection, closed["id"], kept["id"])
    former = {person["address_key"], other["address_key"]} - {addresses.key(address)}
    _settle_addresses(connection, kept["id"], address, former=former, now=now)
    values = {name: present[name] for name in (*STORED_AS_THEY_ARE, "themes", "topics", "left_at")}
    came_by_themselves = {row["origin"] for row in (kept, closed)} - {schema.FROM_A_LIST, schema.CANARY}
    values |= {"address": address, "address_key": addresses.key(address)}
    values |= {"origin": min(came_by_themselves, default=schema.FROM_A_LIST)}
    _write(connection, kept["id"], values, now=now)
    _write(connection, closed["id"], {"moved_to": kept["id"], "left_at": closed["left_at"] or now}, now=now)
    connection.execute(update(_TABLE).where(_TABLE.c.moved_to == closed["id"]).values(moved_to=kept["id"]))
    left_out = unite(connection, kept["id"], closed["id"], now=now)
    redirected, more = redirect(connection, kept["id"], address, now=now)
    return Moved(
        contact_id=kept["id"],
        closed_id=closed["id"],
        listed=present["left_at"] is None,
        passed_on=passed_on,
        redirected=redirected,
        left_out=left_out + more,
    )


def _write(connection: Connection, contact_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    connection.execute(update(_TABLE).where(_TABLE.c.id == contact_id).values(**values, changed_at=now))


def _settle_addresses(
    connection: Connection, contact_id: int, address: str, *, former: set[str], now: datetime
) -> None:
    """The new address is the present one; from the former ones the person has moved away."""
    theirs = _KNOWN.c.contact_id == contact_id
    connection.execute(update(_KNOWN).where(theirs).values(current=False))
    connection.execute(update(_KNOWN).where(theirs, _KNOWN.c.address_key.in_(former)).values(moved_away=True))
    values = {"current": True, "since": now, "moved_away": False}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(_KNOWN)
        .values(contact_id=contact_id, address_key=addresses.key(address), **values)
        .on_conflict_do_update(index_elements=["contact_id", "address_key"], set_=values)
    )


def _pass_addresses_on(connection: Connection, closed_id: int, kept_id: int) -> None:
    known = select(_KNOWN.c.address_key).where(_KNOWN.c.contact_id == kept_id)
    columns = ("address_key", "current", "since", "moved_away")
    passed = select(literal(kept_id), *(_KNOWN.c[name] for name in columns)).where(
        _KNOWN.c.contact_id == closed_id, _KNOWN.c.address_key.not_in(known)
    )
    connection.execute(insert(_KNOWN).from_select(["contact_id", *columns], passed))
    connection.execute(delete(_KNOWN).where(_KNOWN.c.contact_id == closed_id))


def _pass_rules_on(connection: Connection, closed_id: int, kept_id: int, *, by: str, now: datetime) -> int:
    """An opt-out always wins: what stood against either row stands against the one that goes on.

    As new rules with numbers of their own: what that one was sent before did not go out against them.
    """
    signals = [
        Signal(
            kind=rule.kind,
            topic=rule.topic,
            road=rule.road,
            at=rule.at,
            contact_id=kept_id,
            reason=rule.reason,
            evidence=f"{rule.evidence}{PASSED_ON}{closed_id})",
            actor=by,
        )
        for rule in rules_of(connection, closed_id)
    ]
    recorded = record_signals(connection, signals, now=now)
    add_suppressions(connection, recorded)
    return len(recorded)


def _end_suspicion(connection: Connection, old_id: int, new_id: int, *, by: str, reason: str, now: datetime) -> bool:
    evidence = {f"{SUSPICION}{number}" for number in numbers_of(connection, old_id)}
    holds = [rule for rule in rules_of(connection, new_id) if rule.evidence in evidence]
    if holds:
        end_rules(connection, holds, contact_id=new_id, by=by, reason=reason, now=now)
    return bool(holds)
