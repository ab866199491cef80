"""Storing a pulled list: what it says about opt-outs first, then the people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.contacts.cleaning import Cleaned
from mlgroup_mail.model import Signal
from mlgroup_mail.store import Store
from mlgroup_mail.store.contact_sync import SyncResult, sync_contacts
from mlgroup_mail.store.contacts import find_contact


@dataclass(frozen=True, kw_only=True, slots=True)
class PullResult:
    """What a pull brought: the cleaned list, what changed in the stored one, how many new opt-outs."""

    cleaned: Cleaned
    stored: SyncResult
    opted_out: int


def store_list(store: Store, cleaned: Cleaned, *, sources: Sequence[str], now: datetime) -> PullResult:
    """Store the whole list of `sources`. A status such as "left" opts out when it is new for that person.

    When it is not new, the rule was written before; if a person of the team has lifted it since, it stays lifted.
    """
    statuses = {contact.address: contact.status for contact in cleaned.contacts}
    news = [signal for signal in cleaned.opt_outs if _is_new(store, signal, statuses[signal.address])]
    opted_out = sum(apply_signal(store, signal, now=now).new for signal in news)
    with store.deciding() as connection:
        stored = sync_contacts(connection, cleaned.contacts, sources=frozenset(sources), now=now)
    return PullResult(cleaned=cleaned, stored=stored, opted_out=opted_out)


def _is_new(store: Store, signal: Signal, status: str) -> bool:
    with store.reading() as connection:
        known = find_contact(connection, signal.address)
    return known is None or known.status != status
