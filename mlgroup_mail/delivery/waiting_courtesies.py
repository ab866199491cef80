"""Sending the mails outside mailings that wait in the ledger: each row of a queue gets one, whatever happens."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from mlgroup_mail.delivery.courtesies import Begun, CourtesyMail, begin, hand_over
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.waiting import wait_out
from mlgroup_mail.model import KeptBack, Outcome, OutcomeKind
from mlgroup_mail.store import Connection
from mlgroup_mail.store.courtesies import CourtesyQueue
from mlgroup_mail.store.rates import Wait

log = logging.getLogger(__name__)

_Due = TypeVar("_Due")


class Waiting(Protocol[_Due]):
    """People to whom one kind of mail is due."""

    mails: CourtesyQueue
    """The table that they stand in."""

    def next(self, connection: Connection, parts: Sending, *, lock: int = 0) -> _Due | None:
        """The next of them; with `lock`, a row's number, that one alone, and nobody else changes it meanwhile."""
        ...

    def row(self, due: _Due) -> int:
        """The number of their row."""
        ...

    def make(self, parts: Sending, due: _Due) -> CourtesyMail:
        """Their mail, from what `next` has told."""
        ...

    def hindrance(self, connection: Connection, parts: Sending, due: _Due) -> KeptBack | None:
        """Why they may not be written to now, if they may not. Asked where no consent can change before the attempt."""
        ...

    def note(self, connection: Connection, due: _Due, mail: CourtesyMail) -> None:
        """Keep what has to be known of a mail that is being begun."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What came of it: how many were accepted, and how long the rest has to wait for the mail server, if it has to."""

    accepted: int
    wait: timedelta | None = None


def send_waiting(parts: Sending, waiting: Waiting[_Due]) -> Sent:
    """Send what is due. Short rates are waited out; where `stop` is asked nothing more is begun.

    What surely was not accepted is tried again later, a few times. Raises TransportError where the mail server as a
    whole does not take mail: all of it stays due.
    """
    accepted = 0
    try:
        while not parts.stop.asked and (due := _next(parts, waiting)) is not None:
            mail = _made(parts, waiting, due)
            if mail is None:
                continue
            parts.transport.open()
            begun = _begun(parts, waiting, due, mail)
            if isinstance(begun, Begun):
                accepted += _handed_over(parts, waiting, due, begun).kind is OutcomeKind.ACCEPTED
            elif begun and not wait_out(begun.seconds, wanted=lambda: True, stop=parts.stop):
                return Sent(accepted=accepted, wait=timedelta(seconds=begun.seconds))
    finally:
        parts.transport.close()
    return Sent(accepted=accepted)


def _next(parts: Sending, waiting: Waiting[_Due]) -> _Due | None:
    with parts.store.reading() as connection:
        return waiting.next(connection, parts)


def _made(parts: Sending, waiting: Waiting[_Due], due: _Due) -> CourtesyMail | None:
    """Their mail; None where it cannot be made: that is nobody else's affair, and no attempt."""
    row = waiting.row(due)
    try:
        return waiting.make(parts, due)
    except Exception as error:  # whatever it is, it is this one's alone
        # Its text may hold what the person's fields hold, so only its kind is told.
        kind = type(error).__name__
        log.error("a mail to one person (row %d of %s) could not be made: %s", row, waiting.mails.table, kind)
    with _same(parts, waiting, due) as connection:
        if connection:
            waiting.mails.put_off(connection, row, KeptBack.NOT_MADE, now=parts.clock.now())
    return None


def _begun(parts: Sending, waiting: Waiting[_Due], due: _Due, mail: CourtesyMail) -> Begun | Wait | None:
    """Write the attempt; None where it is not to go, or another process has been faster."""
    with _same(parts, waiting, due) as connection:
        if connection is None:
            return None
        if because := waiting.hindrance(connection, parts, due):
            _keep_back(connection, waiting, due, because, parts)
            return None
        begun = begin(connection, parts, mail)
        if isinstance(begun, Begun):
            waiting.mails.begun(connection, waiting.row(due), courtesy_id=begun.attempt_id)
            waiting.note(connection, due, mail)
        return begun


def _keep_back(connection: Connection, waiting: Waiting[_Due], due: _Due, because: KeptBack, parts: Sending) -> None:
    row = waiting.row(due)
    log.warning("a mail to one person (row %d of %s) is kept back: %s", row, waiting.mails.table, because.meaning)
    if because is KeptBack.NO_ADDRESS:
        waiting.mails.drop(connection, row, because)
    else:
        waiting.mails.hinder(connection, row, because, now=parts.clock.now())


def _handed_over(parts: Sending, waiting: Waiting[_Due], due: _Due, begun: Begun) -> Outcome:
    def put_off(connection: Connection, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.DEFERRED:
            waiting.mails.put_off(
                connection,
                waiting.row(due),
                KeptBack.PUT_OFF,
                now=parts.clock.now(),
                a_try=outcome.is_a_try,
                seconds=outcome.retry_after,
            )

    return hand_over(parts, begun, also=put_off)


@contextmanager
def _same(parts: Sending, waiting: Waiting[_Due], due: _Due) -> Iterator[Connection | None]:
    """A transaction in which it is due as it was, and no opt-out comes in; None where it is due no more, or not so."""
    with parts.store.claiming() as connection:
        still = waiting.next(connection, parts, lock=waiting.row(due)) == due
        yield connection if still else None
