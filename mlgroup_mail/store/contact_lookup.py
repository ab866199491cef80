"""Whom somebody at the command line means: by an address they have or had, or by the contact's number."""

from sqlalchemy import Connection, RowMapping, or_, select

from mlgroup_mail import addresses
from mlgroup_mail.errors import UsageError
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import rows

_TABLE, _KNOWN = schema.contact, schema.contact_address


def find_person(connection: Connection, who: str) -> RowMapping | None:
    """The row of the person with this address or number; None where nobody is known.

    A number of a contact that proved to be another's leads to that one. Raises UsageError where several people are
    meant, or the text is neither.
    """
    if who.isascii() and who.isdigit():
        return row_of(connection, int(who))
    key = addresses.key(read_address(who))
    statement = (
        select(_TABLE, _KNOWN.c.current)
        .join(_KNOWN, _KNOWN.c.contact_id == _TABLE.c.id)
        .where(_KNOWN.c.address_key == key)
        .order_by(_TABLE.c.id)
    )
    found = rows(connection, statement)
    found = [row for row in found if row["current"]] or found
    if len(found) > 1:
        people = ", ".join(f"{row['id']}{' (left the list)' if row['left_at'] else ''}" for row in found)
        raise UsageError(
            f"several people have or had this address: contacts {people}",
            mend="Name one of them by the number.",
        )
    return found[0] if found else None


def row_of(connection: Connection, contact_id: int) -> RowMapping | None:
    """The row with this number, or of whoever it proved to be; None where there is none or it was erased."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == contact_id)).mappings().first()
    if row is not None and row["moved_to"] is not None:
        row = connection.execute(select(_TABLE).where(_TABLE.c.id == row["moved_to"])).mappings().one()
    return row if row is not None and row["erased_at"] is None else None


def numbers_of(connection: Connection, contact_id: int) -> list[int]:
    """The number of a person's row, and those of rows that proved to be theirs."""
    statement = select(_TABLE.c.id).where(or_(_TABLE.c.id == contact_id, _TABLE.c.moved_to == contact_id))
    return list(connection.execute(statement.order_by(_TABLE.c.id)).scalars())


def read_address(text: str) -> str:
    """The address that somebody typed; raises UsageError where it is none."""
    try:
        return addresses.read(text)
    except addresses.AddressError as error:
        raise UsageError(f"“{addresses.mask_text(text)}” is not a mail address: {error}") from None
