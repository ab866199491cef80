"""The one mail to each of those whose opt-out a mail gateway may have clicked: was it you? Else take it back here."""

import logging
import secrets
from dataclasses import dataclass

from mlgroup_mail.consent.bursts import LOOKED_BACK, flag_bursts
from mlgroup_mail.content.compiling.courtesy import compile_courtesy
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.courtesies import begin_within, hand_over, make_message, may_be_written_to
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.model import ALL_TOPICS, Message, Outcome, OutcomeKind
from mlgroup_mail.model.message import MergeValues
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Connection
from mlgroup_mail.store.bursts import Unasked, asked, next_unasked
from mlgroup_mail.store.mailings import source_of
from mlgroup_mail.store.rates import Wait

log = logging.getLogger(__name__)

UNDO = "undo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bursts:
    """What came of looking for bursts: opt-outs that are newly flagged, and how many were asked about theirs."""

    flagged: int
    asked: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    attempt_id: int
    token: str
    whom: Unasked
    source: FrozenSource


def look_for_bursts(parts: Sending, project: Project) -> Bursts:
    """Flag what a gateway may have clicked, and ask each of its readers once, by mail. Safe to repeat.

    Raises TransportError where the mail server as a whole does not take mail: they are asked the next time, within a
    day. An attempt is durable before its first byte leaves: who may have been asked is not asked again.
    """
    flagged, number, last = flag_bursts(parts.store, now=parts.clock.now()), 0, 0
    try:
        while not parts.stop.asked and (begun := _begin_next(parts, after=last)):
            if not isinstance(begun, _Begun):
                last = begun.signal_id
                continue
            last = begun.whom.signal_id
            number += _send(parts, project, begun).kind is OutcomeKind.ACCEPTED
    finally:
        parts.transport.close()
    return Bursts(flagged=flagged, asked=number)


def _begin_next(parts: Sending, *, after: int) -> _Begun | Unasked | None:
    """Begin the next mail; the person alone where they may not be written to from here, None where nobody is left."""
    since = parts.clock.now() - LOOKED_BACK
    with parts.store.reading() as connection:
        if next_unasked(connection, after=after, since=since) is None:
            return None
    parts.transport.open()
    # No opt-out comes between the look and the attempt.
    with parts.store.claiming() as connection:
        whom = next_unasked(connection, after=after, since=since, lock=True)
        if whom is None or not may_be_written_to(parts, whom.address):
            return whom
        token = secrets.token_hex(8)
        attempt = begin_within(connection, parts, kind=UNDO, address=whom.address, token=token)
        if isinstance(attempt, Wait):
            return None
        asked(connection, whom.signal_id, attempt)
        source = FrozenSource.from_json(source_of(connection, whom.mailing_id))
        return _Begun(attempt_id=attempt, token=token, whom=whom, source=source)


def _send(parts: Sending, project: Project, begun: _Begun) -> Outcome:
    def ask_again(connection: Connection, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.DEFERRED:
            asked(connection, begun.whom.signal_id, None)

    outcome = hand_over(parts, _message(parts, project, begun), also=ask_again)
    log.info("courtesy %d: %s", begun.attempt_id, outcome.kind)
    return outcome


def _message(parts: Sending, project: Project, begun: _Begun) -> Message:
    whom, sender = begun.whom, begun.source.sender
    links = parts.links(whom.topic)
    token = links.token(whom.contact_id, whom.mailing_id)
    link = links.https(token) or links.mailto(token)
    topic = "" if whom.topic == ALL_TOPICS else project.topic_title(whom.topic)
    courtesy = compile_courtesy(
        project,
        UNDO,
        language=whom.language or begun.source.language,
        sender=sender,
        values={"link": link, "topic": topic},
    )
    values = MergeValues(address=whom.address, opt_out=link, opt_out_all=link, opt_out_mail=links.mailto(token))
    return make_message(
        parts,
        courtesy,
        values,
        attempt_id=begun.attempt_id,
        kind=UNDO,
        token=begun.token,
        campaign="opt-outs",
        sender=sender,
        list_id=f"{UNDO}.{project.group.list_id}",
    )
