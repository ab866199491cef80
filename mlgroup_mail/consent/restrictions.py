"""May we write to them? Asked when an audience is made, and again in each claim."""

from collections.abc import Mapping

from mlgroup_mail.model import ALL_TOPICS, ExclusionReason, Restriction, SignalKind
from mlgroup_mail.store import Connection
from mlgroup_mail.store.suppressions import standing_rules

_WEIGHT = tuple(ExclusionReason)
"""Where several rules stand against a person, the first of these is the reason that is shown."""


def restrictions(connection: Connection, people: Mapping[int, str], topic: str) -> dict[int, ExclusionReason]:
    """Who of `people` ({contact id: address}) must not be written to on this topic, and why; the others may be."""
    found: dict[int, ExclusionReason] = {}
    for contact_id, restriction, kind, on in standing_rules(connection, people, topic=topic):
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
