"""Faults planted in the product, to see that the judge finds what they do. None of them is ever active by itself."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, event

from mlgroup_mail.delivery import sending
from mlgroup_mail.delivery.transports.sendgrid import SendGridTransport
from mlgroup_mail.delivery.transports.smtp import SmtpTransport
from mlgroup_mail.model import Outcome, OutcomeKind
from mlgroup_mail.store import owners

log = logging.getLogger("mlgroup_mail.planted")

_TRANSPORTS: tuple[Any, ...] = (SmtpTransport, SendGridTransport)


def plant(name: str) -> None:
    """Plant the fault of that name; nothing for none."""
    if name:
        FAULTS[name]()


def _doubt_is_retried() -> None:
    """No answer after the final dot counts as "not accepted"."""
    _change_outcomes(
        lambda outcome: (
            replace(outcome, kind=OutcomeKind.DEFERRED, begun=False)
            if outcome.kind is OutcomeKind.UNCERTAIN
            else outcome
        )
    )


def _refused_is_accepted() -> None:
    """A refusal counts as an acceptance."""
    _change_outcomes(
        lambda outcome: replace(outcome, kind=OutcomeKind.ACCEPTED) if outcome.kind is OutcomeKind.REFUSED else outcome
    )


def _nothing_is_known() -> None:
    """Every answer counts as none."""
    _change_outcomes(lambda outcome: replace(outcome, kind=OutcomeKind.UNCERTAIN))


def _change_outcomes(change: Callable[[Outcome], Outcome]) -> None:
    for transport in _TRANSPORTS:
        send = transport.send

        def changed(self: Any, *arguments: Any, send: Any = send, **options: Any) -> Iterator[Outcome]:
            for outcome in send(self, *arguments, **options):
                yield change(outcome)

        transport.send = changed  # type: ignore[method-assign]


def _claims_are_not_durable() -> None:
    """The first claims are taken back instead of committed, so the ledger forgets that anything was tried."""
    left = iter(range(2))

    def note(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        if "insert into attempt" in statement.lower():
            connection.info["planted"] = True

    def undo(connection: Connection) -> None:
        if connection.info.pop("planted", False) and next(left, None) is not None:
            connection.connection.rollback()

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", undo)


def _the_dead_have_not_tried() -> None:
    """What a dead process had begun is planned anew instead of being in doubt."""
    from sqlalchemy import select, update

    from mlgroup_mail.store import schema

    def forget(connection: Connection, owner_id: int, *, now: Any) -> int:
        attempt, delivery = schema.attempt, schema.delivery
        mine = select(attempt.c.delivery_id).where(attempt.c.owner_id == owner_id, attempt.c.outcome.is_(None))
        done = connection.execute(update(delivery).where(delivery.c.id.in_(mine)).values(state="planned"))
        connection.execute(
            update(attempt)
            .where(attempt.c.owner_id == owner_id, attempt.c.outcome.is_(None))
            .values(outcome="deferred", ended_at=now)
        )
        return done.rowcount

    owners._doubt_open_attempts = forget


def _opt_outs_are_not_read_again() -> None:
    """A claim does not ask who has opted out."""
    sending.restrictions_in_force = lambda *_, **__: lambda *_, **__: {}


def _addresses_are_logged() -> None:
    """A diagnostic log line names a person."""
    for transport in _TRANSPORTS:
        send = transport.send

        def talkative(self: Any, messages: Any, *rest: Any, send: Any = send, **options: Any) -> Iterator[Outcome]:
            for message in messages:
                log.debug("handing over to %s", message.address)
            yield from send(self, messages, *rest, **options)

        transport.send = talkative  # type: ignore[method-assign]


def _the_key_is_logged() -> None:
    """A diagnostic log line has the key of the account."""
    open_it = SendGridTransport.open

    def talkative(self: SendGridTransport) -> None:
        log.debug("logging in with %s", self._account.key)
        open_it(self)

    SendGridTransport.open = talkative  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "doubt is retried": _doubt_is_retried,
    "refused is accepted": _refused_is_accepted,
    "nothing is known": _nothing_is_known,
    "claims are not durable": _claims_are_not_durable,
    "the dead have not tried": _the_dead_have_not_tried,
    "opt-outs are not read again": _opt_outs_are_not_read_again,
    "addresses are logged": _addresses_are_logged,
    "the key is logged": _the_key_is_logged,
}
