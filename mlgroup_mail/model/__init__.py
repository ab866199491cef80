"""The nouns that pass between rooms: frozen values, closed sets, and the table of allowed transitions."""

from mlgroup_mail.model.audience import Audience, Exclusion, ExclusionReason
from mlgroup_mail.model.consent import (
    ALL_TOPICS,
    Restriction,
    Road,
    Signal,
    SignalKind,
    Suppression,
)
from mlgroup_mail.model.contact import Contact, ContactStatus
from mlgroup_mail.model.delivery import (
    DeliveryState,
    DeliveryStep,
    EventKind,
    Outcome,
    OutcomeKind,
    Scope,
)
from mlgroup_mail.model.mailing import Batch, MailingRef, MailingState, MailingStep
from mlgroup_mail.model.message import CompiledMessage, Message, Sender

__all__ = [
    "ALL_TOPICS",
    "Audience",
    "Batch",
    "CompiledMessage",
    "Contact",
    "ContactStatus",
    "DeliveryState",
    "DeliveryStep",
    "EventKind",
    "Exclusion",
    "ExclusionReason",
    "MailingRef",
    "MailingState",
    "MailingStep",
    "Message",
    "Outcome",
    "OutcomeKind",
    "Restriction",
    "Road",
    "Scope",
    "Sender",
    "Signal",
    "SignalKind",
    "Suppression",
]
