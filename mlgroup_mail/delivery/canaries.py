"""Canaries: who of the team rides along with a mailing, as which contact, and who of them must not be written to."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.addresses.roles import is_role
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.variants import Variants
from mlgroup_mail.model import Contact, Exclusion, ExclusionReason
from mlgroup_mail.model.canary import Canary, CanaryPlace
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.canaries import add_canary, holders, write_canaries
from mlgroup_mail.store.mailings import MailingRow

Erased = Callable[[Connection], Callable[[str], bool]]
"""Tells, on a connection, whether an address was that of somebody who wanted to be forgotten."""


def nobody_erased(_: Connection) -> Callable[[str], bool]:
    """Where nobody can be erased."""
    return lambda _: False


_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rider:
    """A canary as a contact. `others` are the numbers of further people with the same mailbox: what they said counts.

    The number is negative where the address is nobody's yet.
    """

    place: CanaryPlace
    contact: Contact
    others: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Riders:
    """The canaries of a mailing, each mailbox once."""

    riders: tuple[Rider, ...] = ()
    by_contact: Mapping[int, Rider] = field(default_factory=dict)

    @classmethod
    def of(cls, riders: Sequence[Rider]) -> "Riders":
        """Those of a list, by their numbers."""
        return cls(riders=tuple(riders), by_contact={rider.contact.contact_id: rider for rider in riders})

    @property
    def contacts(self) -> list[Contact]:
        """All of them."""
        return [rider.contact for rider in self.riders]

    @property
    def mailboxes(self) -> set[str]:
        """The keys of their addresses: nobody else gets the mailing there."""
        return {addresses.key(contact.address) for contact in self.contacts}

    def without(self, people: Sequence[Contact]) -> list[Contact]:
        """Of these people, those who are no canaries: canaries have their turn elsewhere."""
        return [person for person in people if person.contact_id not in self.by_contact]


def find_riders(connection: Connection, source: FrozenSource) -> Riders:
    """Who would ride along if the mailing were planned now; writes nothing."""
    mailboxes = _mailboxes(source.canaries)
    held = holders(connection, mailboxes)
    return Riders.of(
        [
            _rider(canary, held.get(key) or [Contact(address=addresses.normalise(canary.address), contact_id=-number)])
            for number, (key, canary) in enumerate(mailboxes.items(), start=1)
        ]
    )


def seat_riders(store: Store, source: FrozenSource, *, erased: Erased, now: datetime) -> Riders:
    """Who rides along, each with a contact; an address that is nobody's gets one of its own.

    Whoever wanted to be forgotten stays forgotten, whatever `mlgroup.toml` says: they do not ride.
    """
    mailboxes = _mailboxes(source.canaries)
    if not mailboxes:
        return Riders()
    with store.deciding() as connection:
        unknown = mailboxes.keys() - holders(connection, mailboxes).keys()
        was_erased = erased(connection) if unknown else None
        for key, canary in mailboxes.items():
            address = addresses.normalise(canary.address)
            if was_erased and key in unknown and not was_erased(address):
                add_canary(connection, address, now=now)
        held = holders(connection, mailboxes)
    return Riders.of([_rider(canary, held[key]) for key, canary in mailboxes.items() if key in held])


def split_riders(
    connection: Connection, riders: Sequence[Rider], source: FrozenSource, *, allowed_domains: tuple[str, ...] | None
) -> tuple[list[Contact], list[Exclusion]]:
    """Part those who ride from those who must not: opt-outs, holds and the allow-list hold for canaries too.

    Which topics they have chosen does not count: the team has chosen for them.
    """
    people = {rider.contact.contact_id: rider.contact.address for rider in riders}
    people |= {number: rider.contact.address for rider in riders for number in rider.others}
    stopped = restrictions(connection, people, source.topic)
    recipients, exclusions = [], []
    for rider in riders:
        numbers = (rider.contact.contact_id, *rider.others)
        reason = next((stopped[number] for number in numbers if number in stopped), None)
        if reason is None and not addresses.is_allowed(rider.contact.address, allowed_domains):
            reason = ExclusionReason.NOT_ALLOWED
        if reason is None:
            recipients.append(rider.contact)
        else:
            exclusions.append(Exclusion(contact=rider.contact, reason=reason))
    return recipients, exclusions


def plan_riders(
    connection: Connection,
    mailing: MailingRow,
    riders: Riders,
    source: FrozenSource,
    variants: Variants,
    *,
    allowed_domains: tuple[str, ...] | None,
    now: datetime,
) -> None:
    """Write the canaries' deliveries, in the transaction that ends planning; `variants` has compiled for them all."""
    for place in CanaryPlace:
        there = [rider for rider in riders.riders if rider.place is place]
        recipients, exclusions = split_riders(connection, there, source, allowed_domains=allowed_domains)
        planned = variants.give(connection, mailing, recipients)
        assert planned is not None, "what canaries read was compiled before planning began"
        write_canaries(connection, mailing, place, recipients=planned, exclusions=exclusions, now=now)


def _mailboxes(canaries: Sequence[Canary]) -> dict[str, Canary]:
    """Each mailbox once, in the first place it is given; what is no address is a finding of `check`."""
    found: dict[str, Canary] = {}
    for canary in canaries:
        try:
            found.setdefault(addresses.key(addresses.normalise(canary.address)), canary)
        except addresses.AddressError:
            continue
    return found


def _rider(canary: Canary, people: Sequence[Contact]) -> Rider:
    """Somebody on the list reads what the list says of them; others what is configured, or what the address says."""
    held, *others = people
    fields = {name: getattr(canary, name) for name in ("organisation", "country", "timezone", "language")}
    name = canary.name or canary.first_name or held.name or name_in(held.address)
    first_name = canary.first_name or held.first_name or name.partition(" ")[0]
    known = held.status != "" and held.contact_id > 0
    contact = held if known else replace(held, **fields, name=name, first_name=first_name)
    return Rider(place=canary.place, contact=contact, others=tuple(each.contact_id for each in others))


def name_in(address: str) -> str:
    """The name that an address seems to give: `anna.berg@...` is Anna Berg; "" for an office's."""
    local = address.rpartition("@")[0].partition("+")[0]
    return "" if is_role(address) else " ".join(word.capitalize() for word in _WORD.findall(local))
