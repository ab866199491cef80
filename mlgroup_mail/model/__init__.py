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
from mlgroup_mail.model.courtesy import CourtesyKind, KeptBack
from mlgroup_mail.model.delivery import (
    Bounce,
    DeliveryState,
    DeliveryStep,
    EventKind,
    Outcome,
    OutcomeKind,
    Scope,
)
from mlgroup_mail.model.mailing import Batch, MailingRef, MailingState, MailingStep
from mlgroup_mail.model.message import CompiledMessage, Message, Sender
from mlgroup_mail.model.provider_event import ProviderEvent

__all__ = [
    "ALL_TOPICS",
    "Audience",
    "Batch",
    "Bounce",
    "CompiledMessage",
    "Contact",
    "ContactStatus",
    "CourtesyKind",
    "DeliveryState",
    "DeliveryStep",
    "EventKind",
    "Exclusion",
    "ExclusionReason",
    "KeptBack",
    "MailingRef",
    "MailingState",
    "MailingStep",
    "Message",
    "Outcome",
    "OutcomeKind",
    "ProviderEvent",
    "Restriction",
    "Road",
    "Scope",
    "Sender",
    "Signal",
    "SignalKind",
    "Suppression",
]
