"""Forgetting a person wherever they are found from here: the ledger, and the messages in the outbox."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlgroup_mail.addresses import mask, mask_name
from mlgroup_mail.consent.erasing import erase_person, forgotten_at, require_erasure_key
from mlgroup_mail.delivery.transports.outbox_clearing import messages_of, remove_messages
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import MailingRef
from mlgroup_mail.store import Store
from mlgroup_mail.store.belongings import (
    Belongings,
    belongings,
    count_rules,
    deliveries_by_mailing,
    is_known,
    name_of,
)
from mlgroup_mail.store.erasure import Forgotten


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgottenEverywhere:
    """What was forgotten. `ledger` is None where the ledger had nothing any more, because they were erased before.

    `messages` were deleted from the outbox; `mailings` are those that were planned for them, whose reports may speak of
    them.
    """

    ledger: Forgotten | None
    messages: int
    mailings: tuple[MailingRef, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WouldForget:
    """Whom an erasure means, masked, and how much there is of them: for whoever has typed a number or an address.

    `contact_id` is None, and `name` empty, where the address is nobody's on the list.
    """

    contact_id: int | None
    name: str
    addresses: tuple[str, ...]
    deliveries: int
    rules: int


def would_forget(store: Store, who: str, *, key: str | None) -> WouldForget:
    """What `forget_person` would forget; changes nothing, and raises what that would raise where it cannot be done."""
    with store.reading() as connection:
        require_erasure_key(connection, key)
        theirs = belongings(connection, who)
        return WouldForget(
            contact_id=theirs.contact_id,
            name=mask_name(name_of(connection, theirs)),
            addresses=tuple(sorted(map(mask, theirs.own))),
            deliveries=sum(map(len, deliveries_by_mailing(connection, theirs).values())),
            rules=count_rules(connection, theirs),
        )


def forget_person(
    store: Store, outbox: Path, who: str, *, key: str | None, by: str, reason: str, now: datetime
) -> ForgottenEverywhere:
    """Forget the person with this address or contact number. Where it is stopped, the same command does the rest.

    Raises UsageError where nothing is known of them or a file cannot be deleted, ConfigurationError where the key is
    not there.
    """
    with store.reading() as connection:
        require_erasure_key(connection, key)
        theirs = belongings(connection, who)
        deliveries = deliveries_by_mailing(connection, theirs)
        known = is_known(connection, theirs)
        before = forgotten_at(connection, key, who) is not None
    # First: once the ledger has forgotten them, nobody could tell which messages were theirs.
    messages = _remove(outbox, deliveries, theirs)
    if not known and (before or messages):
        return ForgottenEverywhere(ledger=None, messages=messages, mailings=())
    forgotten = erase_person(store, who, key=key, by=by, reason=reason, now=now)
    # And again: some may have been written until then.
    messages += _remove(outbox, deliveries, theirs)
    return ForgottenEverywhere(ledger=forgotten, messages=messages, mailings=tuple(deliveries))


def _remove(outbox: Path, deliveries: dict[MailingRef, list[int]], theirs: Belongings) -> int:
    try:
        return remove_messages(outbox, messages_of(outbox, deliveries, theirs.own))
    except OSError as error:
        raise UsageError(
            f"a message in the outbox cannot be deleted: {error.strerror}",
            where=str(outbox),
            mend="Give this account the right to, and run the same command again.",
        ) from None
