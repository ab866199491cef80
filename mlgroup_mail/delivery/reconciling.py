"""Reconciling: what comes back from outside shows that a message had arrived, and ends the doubt about it.

Provider events, bounces and replies come through this one door. Evidence only ever ends doubt one way: it shows that a
message was accepted, never that it was not (DESIGN, invariant 4). Absence of evidence shows nothing.
"""

import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.model import EventKind, MailingStep, Road
from mlgroup_mail.model.mailing import TRANSITIONS
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.citations import CitedDelivery, cited_by_id, cited_by_person
from mlgroup_mail.store.events import record_evidence
from mlgroup_mail.store.mailings import BY_ITSELF, lock_mailing, order_mailing, source_of

log = logging.getLogger(__name__)

_KEY = re.compile(r"([1-9][0-9]{0,17})\.([0-9a-f]{16})", re.ASCII)
_MESSAGE_ID = re.compile(rf"<?(?P<key>{_KEY.pattern})@(?P<domain>[A-Za-z0-9.-]{{1,253}})>?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Something from outside that cites a message of ours. It may name it by several keys; one is enough.

    `key` is `<delivery>.<mailing's token>`, as given to a provider; `message_id` the Message-ID it cites, with or
    without angle brackets; `token` an opt-out token out of a quoted link, for relays that replace the Message-ID.
    `detail` is a short text without addresses or names. `at` is when it happened, by whoever tells it.
    """

    kind: EventKind
    source: Road
    at: datetime
    key: str = ""
    message_id: str = ""
    token: str = ""
    detail: str = ""


class Reconciled(StrEnum):
    """What a piece of evidence changed."""

    SETTLED = "settled"
    """The delivery was in doubt, and is accepted now."""
    NOTED = "noted"
    """It is kept; the state says the same, or says more."""
    UNKNOWN = "unknown"
    """It cites no delivery of this ledger, or several."""
    NEVER_ATTEMPTED = "never_attempted"
    """It cites a delivery that this ledger never tried: the ledger is older than what happened. The mailing is held."""


def reconcile(store: Store, evidence: Evidence, *, tokens: OptOutTokens, now: datetime) -> Reconciled:
    """Let a piece of evidence end the doubt about the delivery it cites. Told again, it changes nothing."""
    with store.writing() as connection:
        cited = _cited(connection, evidence, tokens)
        if cited is None:
            return Reconciled.UNKNOWN
        if not cited.attempted:
            # An opt-out token stands in previews and tests too: it names a person, and proves no attempt.
            return (
                hold_older_copy(connection, cited, now=now)
                if evidence.key or evidence.message_id
                else Reconciled.UNKNOWN
            )
        settled = record_evidence(
            connection,
            cited.delivery_id,
            kind=evidence.kind,
            source=evidence.source,
            detail=evidence.detail,
            at=evidence.at,
            now=now,
        )
        return Reconciled.SETTLED if settled else Reconciled.NOTED


def _cited(connection: Connection, evidence: Evidence, tokens: OptOutTokens) -> CitedDelivery | None:
    """The one delivery that all keys which say anything name; None where they say nothing, or contradict each other."""
    named = (
        _by_key(connection, evidence.key),
        _by_message_id(connection, evidence.message_id),
        _by_token(connection, evidence.token, tokens),
    )
    found = {cited.delivery_id: cited for cited in named if cited}
    if len(found) > 1:
        log.warning("evidence cites several deliveries: %s", ", ".join(map(str, sorted(found))))
        return None
    return next(iter(found.values()), None)


def _by_key(connection: Connection, text: str) -> CitedDelivery | None:
    key = read_key(text)
    cited = cited_by_id(connection, key.delivery_id) if key else None
    return cited if key and cited and cited.mailing.token == key.token else None


def _by_message_id(connection: Connection, text: str) -> CitedDelivery | None:
    key = read_message_id(text)
    cited = cited_by_id(connection, key.delivery_id) if key else None
    if key is None or cited is None or cited.mailing.token != key.token:
        return None
    return cited if sender_domain(connection, cited.mailing.mailing_id) == key.domain else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadKey:
    """What a delivery's key says, and the domain it stood before in a Message-ID ("" where it stood alone)."""

    delivery_id: int
    token: str
    domain: str = ""


def read_key(text: str) -> ReadKey | None:
    """A delivery's key (`delivery.merging.delivery_key`), or None for any other text."""
    match = _KEY.fullmatch(text.strip())
    return ReadKey(delivery_id=int(match[1]), token=match[2]) if match else None


def read_message_id(text: str) -> ReadKey | None:
    """A Message-ID as ours are made (`delivery.merging.message_id`), or None for any other text."""
    match = _MESSAGE_ID.fullmatch(text.strip())
    key = read_key(match["key"]) if match else None
    return replace(key, domain=match["domain"].lower()) if match and key else None


def sender_domain(connection: Connection, mailing_id: int) -> str:
    """The domain that a mailing's Message-IDs end in."""
    sender = FrozenSource.from_json(source_of(connection, mailing_id)).sender.address
    return sender.rpartition("@")[2].lower()


def _by_token(connection: Connection, text: str, tokens: OptOutTokens) -> CitedDelivery | None:
    content = tokens.read(text) if text.strip() else None
    return cited_by_person(connection, content.mailing_id, content.contact_id) if content else None


def hold_older_copy(connection: Connection, cited: CitedDelivery, *, now: datetime) -> Reconciled:
    """Stop a mailing of which more has gone out than this ledger knows: `cited` is one that it never tried."""
    mailing = lock_mailing(connection, cited.mailing.mailing_id)
    if (mailing.state, MailingStep.HOLD) in TRANSITIONS:
        reason = (
            f"delivery {cited.delivery_id} has arrived, and this ledger never tried it: is this a restored, older copy?"
        )
        order_mailing(
            connection,
            cited.mailing.mailing_id,
            MailingStep.HOLD,
            reason=reason,
            actor=BY_ITSELF,
            now=now,
            delivery_id=cited.delivery_id,
        )
    return Reconciled.NEVER_ATTEMPTED
