"""People who want to be forgotten, and how they are recognised when a list brings them back.

Nothing of them is kept but an HMAC-SHA-256 of each address (RFC 2104) under a key of its own: whoever has the database
and not the key cannot find out whose it was, and nobody can read an address out of it.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.errors import ConfigurationError, MailError
from mlgroup_mail.model import Contact, Signal
from mlgroup_mail.store import Connection, Store, erasure
from mlgroup_mail.store.contact_lookup import read_address
from mlgroup_mail.store.contacts import find_contact, find_holders, is_listed
from mlgroup_mail.store.erasure import Forgotten

_SHOWN = 10
_SHORTEST = 32


class ErasedPeople:
    """Those who want to be forgotten, as a connection finds them; counts those of them whom a list still has."""

    def __init__(self, connection: Connection, key: str | None) -> None:
        """Raises ConfigurationError where somebody was erased and the key is not there, or is another one."""
        self._connection = connection
        self._macs = erasure.erased_macs(connection)
        self._key = _the_key(key, self._macs) if self._macs else b""
        self.met = 0
        self.met_masked: list[str] = []

    def know(self, mailbox: str) -> bool:
        """Whether this address was an erased person's. Takes a normalised one."""
        return bool(self._macs) and mac(self._key, mailbox) in self._macs

    def let_back(self, mailbox: str) -> bool:
        """Remember this address no more, by the confirmed wish of whoever reads it; False where it was not erased.

        Inside `deciding`. Takes a normalised one.
        """
        if not self.know(mailbox):
            return False
        erasure.remember_no_more(self._connection, mac(self._key, mailbox))
        return True

    def without(self, contacts: Iterable[Contact]) -> Iterable[Contact]:
        """The others, as they come. Who is on the list loses an erased address from their further ones, no more.

        A row of somebody unknown with such a one is the erased person's, at an address that was not known then.
        """
        if not self._macs:
            return contacts
        return (self._without_erased_aliases(contact) for contact in contacts if self._is_other(contact))

    def require_unchanged(self, connection: Connection) -> None:
        """Raise MailError where somebody was erased since: they could be among those whom `without` let through."""
        if erasure.erased_macs(connection) != self._macs:
            raise MailError("somebody was erased while the list was read", mend="Run the same command again.")

    def _is_other(self, contact: Contact) -> bool:
        also_erased = any(map(self.know, contact.aliases))
        if not self.know(contact.address) and (not also_erased or self._is_listed(contact.address)):
            return True
        self.met += 1
        if len(self.met_masked) < _SHOWN:
            self.met_masked.append(addresses.mask(contact.address))
        return False

    def _is_listed(self, mailbox: str) -> bool:
        known = find_contact(self._connection, mailbox)
        return known is not None and is_listed(self._connection, known.contact_id)

    def _without_erased_aliases(self, contact: Contact) -> Contact:
        kept = tuple(alias for alias in contact.aliases if not self.know(alias))
        return contact if len(kept) == len(contact.aliases) else replace(contact, aliases=kept)


class WithoutErased:
    """Keeps addresses of erased people out of the ledger, whatever road brings them: a sieve for `consent.applying`.

    Whose they were can be told no more, and they are stopped for ever: nothing is to be kept. Where somebody has such
    an address again, by their own wish, a signal about it counts as any other. Counts in `met` what it keeps out.
    """

    def __init__(self, key: str | None) -> None:
        self._key = key
        self.met = 0

    def __call__(self, connection: Connection, signals: Sequence[Signal]) -> list[Signal]:
        """The signals that may be kept; raises ConfigurationError as `ErasedPeople`."""
        erased = ErasedPeople(connection, self._key)
        theirs = {key for each in signals if each.address and erased.know(key := addresses.key(each.address))}
        nobodys = theirs - find_holders(connection, theirs).keys()
        kept = [each for each in signals if addresses.key(each.address) not in nobodys]
        self.met += len(signals) - len(kept)
        return kept


def erase_person(store: Store, person: str, *, key: str | None, by: str, reason: str, now: datetime) -> Forgotten:
    """Forget the person with this address or contact number: see `store.erasure.forget`.

    Raises UsageError where nothing is known of them, ConfigurationError where the key is not there.
    """
    with store.deciding() as connection:
        secret = _the_key(key, erasure.erased_macs(connection))
        erasure.overwrite_freed_pages(connection)
        forgotten = erasure.forget(
            connection,
            person,
            mac=lambda mailbox: mac(secret, mailbox),
            mark=_mark(secret),
            by=by,
            reason=reason,
            now=now,
        )
    return replace(forgotten, log_busy=not store.empty_log())


def require_erasure_key(connection: Connection, key: str | None) -> None:
    """Raise ConfigurationError where nobody could be erased under this key."""
    _the_key(key, erasure.erased_macs(connection))


def forgotten_at(connection: Connection, key: str | None, who: str) -> datetime | None:
    """When the person with this address was erased; None where nobody with it was, and for a contact's number.

    Raises ConfigurationError where somebody was erased and the key is not there, UsageError for what is no address.
    """
    macs = erasure.erased_macs(connection)
    if not macs or who.isdigit():
        return None
    return erasure.erased_at(connection, mac(_the_key(key, macs), read_address(who)))


def _the_key(key: str | None, macs: frozenset[str]) -> bytes:
    """The key that erased people are recognised by; raises ConfigurationError where it is missing or not that one."""
    if not key or len(key) < _SHORTEST:
        raise ConfigurationError(
            "erased people cannot be recognised without their key, of 32 characters at least",
            where="MLGROUP_ERASURE_KEY",
            mend="Put the project's own key into .env; it never changes. Where nobody was erased yet, a new one will "
            'do: python -c "import secrets; print(secrets.token_hex(32))"',
        )
    if macs and _mark(key.encode()) not in macs:
        raise ConfigurationError(
            "this is not the key under which people were erased: they would not be recognised",
            where="MLGROUP_ERASURE_KEY",
            mend="Put the project's own key back; it never changes.",
        )
    return key.encode()


def _mark(key: bytes) -> str:
    """What a key leaves among the addresses that were remembered under it, so that another one is noticed."""
    return hmac.digest(key, b"the key of those who were erased", hashlib.sha256).hex()


def mac(key: bytes, mailbox: str) -> str:
    """How an address is remembered. It must give the same for ever: what it gave is all that is left."""
    folded = unicodedata.normalize("NFKC", addresses.key(mailbox)).casefold()
    return hmac.digest(key, b"erased" + folded.encode(), hashlib.sha256).hex()
