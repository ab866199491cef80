"""Reconciling: what comes back from outside shows that a message had arrived, and ends the doubt about it.

Provider events, bounces and replies come through this one door. Evidence only ever ends doubt one way: it shows that a
message was accepted, never that it was not (DESIGN, invariant 4). Absence of evidence shows nothing.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.model import EventKind, MailingStep, Road
from mlgroup_mail.model.mailing import TRANSITIONS
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.events import CitedDelivery, cited_by_id, cited_by_person, record_evidence
from mlgroup_mail.store.mailings import lock_mailing, source_of, write_journal
from mlgroup_mail.store.transitions import move_mailing

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
            return _hold(connection, cited, now=now) if evidence.key or evidence.message_id else Reconciled.UNKNOWN
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
        _by_key(connection, _KEY.fullmatch(evidence.key.strip())),
        _by_message_id(connection, evidence.message_id),
        _by_token(connection, evidence.token, tokens),
    )
    found = {cited.delivery_id: cited for cited in named if cited}
    if len(found) > 1:
        log.warning("evidence cites several deliveries: %s", ", ".join(map(str, sorted(found))))
        return None
    return next(iter(found.values()), None)


def _by_key(connection: Connection, match: re.Match[str] | None) -> CitedDelivery | None:
    if match is None:
        return None
    cited = cited_by_id(connection, int(match[1]))
    return cited if cited and cited.mailing_token == match[2] else None


def _by_message_id(connection: Connection, text: str) -> CitedDelivery | None:
    match = _MESSAGE_ID.fullmatch(text.strip())
    cited = _by_key(connection, _KEY.fullmatch(match["key"])) if match else None
    if match is None or cited is None:
        return None
    sender = FrozenSource.from_json(source_of(connection, cited.mailing_id)).sender.address
    return cited if sender.rpartition("@")[2].lower() == match["domain"].lower() else None


def _by_token(connection: Connection, text: str, tokens: OptOutTokens) -> CitedDelivery | None:
    content = tokens.read(text) if text.strip() else None
    return cited_by_person(connection, content.mailing_id, content.contact_id) if content else None


def _hold(connection: Connection, cited: CitedDelivery, *, now: datetime) -> Reconciled:
    """Stop a mailing of which more has gone out than this ledger knows."""
    mailing = lock_mailing(connection, cited.mailing_id)
    if (mailing.state, MailingStep.HOLD) in TRANSITIONS:
        reason = (
            f"delivery {cited.delivery_id} has arrived, and this ledger never tried it: is this a restored, older copy?"
        )
        move_mailing(connection, cited.mailing_id, MailingStep.HOLD, now=now, reason=reason)
        write_journal(
            connection,
            cited.mailing_id,
            MailingStep.HOLD,
            reason=reason,
            actor="mlgroup-mail",
            now=now,
            delivery_id=cited.delivery_id,
        )
    return Reconciled.NEVER_ATTEMPTED
