"""May we write to them? Asked when an audience is made, and again in each claim."""

from collections.abc import Iterable

from mlgroup_mail.model import ALL_TOPICS, ExclusionReason, Restriction, SignalKind
from mlgroup_mail.store import Connection
from mlgroup_mail.store.suppressions import standing_rules

_WEIGHT = tuple(ExclusionReason)
"""Where several rules stand against a person, the first of these is the reason that is shown."""


def restrictions(connection: Connection, contact_ids: Iterable[int], topic: str) -> dict[int, ExclusionReason]:
    """Who of these must not be written to on this topic, and why; whoever is missing may be."""
    found: dict[int, ExclusionReason] = {}
    for contact_id, restriction, kind, on in standing_rules(connection, contact_ids, topic=topic):
        reason = exclusion_reason(restriction, kind, on)
        if contact_id not in found or _WEIGHT.index(reason) < _WEIGHT.index(found[contact_id]):
            found[contact_id] = reason
    return found


def exclusion_reason(restriction: Restriction, kind: SignalKind, topic: str) -> ExclusionReason:
    """A standing rule, as the reason for which somebody is excluded."""
    if restriction is Restriction.HOLD:
        return ExclusionReason.HELD
    if kind is SignalKind.BOUNCE:
        return ExclusionReason.BOUNCED
    if kind is SignalKind.COMPLAINT:
        return ExclusionReason.COMPLAINED
    return ExclusionReason.OPTED_OUT if topic == ALL_TOPICS else ExclusionReason.OPTED_OUT_TOPIC
