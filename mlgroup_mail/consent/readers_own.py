"""What readers have asked for themselves, on our pages or by mail: what every page of ours lets them take back."""

from collections.abc import Iterable
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.consent.tokens import TokenContent
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, Signal, SignalKind, Suppression
from mlgroup_mail.store import Connection, suppressions
from mlgroup_mail.store.readers import Reader, find_readers

BY_THE_READER = "the reader"
"""Who lifts what is lifted on a page."""
NOBODY = Reader(contact_id=0, address="nobody@nowhere.invalid", language="")
"""Whom a link leads to that is nobody's: asked for like anybody else, so that the time does not tell."""
NOBODYS = TokenContent(contact_id=0, mailing_id=0, topic=ALL_TOPICS)
"""What such a link says."""

_ROADS = frozenset({Road.PAGE, Road.MAILBOX})


def find_reader(connection: Connection, contact_id: int) -> Reader:
    """The person whose link has this number, or `NOBODY`."""
    return find_readers(connection, [contact_id]).get(contact_id, NOBODY)


def rules_against(connection: Connection, reader: Reader) -> list[Suppression]:
    """The standing rules by which we do not write to somebody, holds apart."""
    rules = suppressions.suppressions(connection, address=reader.address, contact_id=reader.contact_id)
    return [rule for rule in rules if rule.restriction is Restriction.SUPPRESSION]


def is_own(rule: Suppression, reader: Reader) -> bool:
    """Whether they have asked for it themselves: in their name, or from their mailbox before it had one here.

    What a complaint, a bounce, the provider, a file or the team has said is not theirs to end.
    """
    theirs = rule.contact_id == reader.contact_id
    before = rule.contact_id is None and rule.address == addresses.key(reader.address)
    return rule.kind is SignalKind.OPT_OUT and rule.road in _ROADS and (theirs or before)


def end_own(
    connection: Connection, reader: Reader, rules: Iterable[Suppression], topic: str, *, reason: str, now: datetime
) -> bool:
    """End what they have asked for on this very topic, one of `rules`; whether there was anything. In `deciding`."""
    meant = [rule for rule in rules if rule.topic == topic and is_own(rule, reader)]
    if not meant:
        return False
    suppressions.end_rules(
        connection,
        meant,
        contact_id=reader.contact_id,
        topic=topic,
        by=BY_THE_READER,
        reason=reason,
        now=now,
        road=Road.PAGE,
    )
    return True


def opt_out_by_page(reader: Reader, topic: str, *, reason: str, evidence: str, before: int, at: datetime) -> Signal:
    """That somebody wants no more mail on a topic; they have said so `before` so many times, and taken it back."""
    return Signal(
        kind=SignalKind.OPT_OUT,
        topic=topic,
        road=Road.PAGE,
        at=at,
        contact_id=reader.contact_id,
        reason=reason,
        # What is said word for word at one moment is the same evidence.
        evidence=f"{evidence} (time {before + 1})" if before else evidence,
    )
