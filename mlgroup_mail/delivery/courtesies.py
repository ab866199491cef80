"""Mail outside mailings, all of it by the same steps.

It is made whole; then, in one durable transaction, it is asked whether it may go, and its attempt is written, within
the transport's rates; then it is handed over, and what came of it is kept. What cannot be made is no attempt, and an
attempt whose process dies is in doubt for ever: nobody gets it twice.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from mlgroup_mail import addresses
from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.content.compiling.courtesy import Courtesy
from mlgroup_mail.content.message.mime_tree import base64_lines
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.waiting import wait_out
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import CourtesyKind, Message, Outcome, OutcomeKind, Scope
from mlgroup_mail.model.message import MergeValues, Sender
from mlgroup_mail.store import Connection
from mlgroup_mail.store.back_off import THE_SERVER, back_off, server_waits_until, take_turns
from mlgroup_mail.store.courtesies import begin_courtesy, end_courtesy
from mlgroup_mail.store.rates import BEGIN_WITHIN_SECONDS, Places, Wait

log = logging.getLogger(__name__)


def new_token() -> str:
    """What names a mail to the outside, so that nobody can guess it."""
    return secrets.token_hex(8)


def message_id(kind: CourtesyKind, token: str, sender: Sender) -> str:
    """`<kind.token@sender's domain>`: what a provider tells of it is found by that."""
    return f"<{kind}.{token}@{addresses.domain(sender.address)}>"


@dataclass(frozen=True, kw_only=True, slots=True)
class CourtesyMail:
    """A finished mail to one person, its attempt not written yet. `secret` is what its link ends with; "" for none."""

    kind: CourtesyKind
    token: str
    message: Message
    secret: str = ""


def finish(
    parts: Sending,
    courtesy: Courtesy,
    values: MergeValues,
    *,
    kind: CourtesyKind,
    sender: Sender,
    list_id: str,
    folder: str,
    secret: str = "",
) -> CourtesyMail:
    """Make the mail of a compiled courtesy. `folder` is that of the outbox in which it is shown.

    Raises ValueError where it cannot be made.
    """
    token = new_token()
    template = parts.transport.build(
        courtesy.compiled,
        sender=sender,
        list_id=list_id,
        one_click=bool(values.one_click),
        pictures={digest: base64_lines(content) for digest, content in courtesy.pictures.items()},
    )
    message = Message(
        attempt_id=0,
        delivery_id=0,
        campaign=folder,
        mailing=kind,
        envelope_from=sender.address,
        address=values.address,
        content=template.fill(values, message_id=message_id(kind, token, sender), date=parts.clock.now()),
        template=template,
    )
    return CourtesyMail(kind=kind, token=token, message=message, secret=secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A mail whose attempt is durable. `at`: when that was written, by the time since the boot."""

    message: Message
    at: float

    @property
    def attempt_id(self) -> int:
        """The ledger's number of the attempt."""
        return self.message.attempt_id


def begin(connection: Connection, parts: Sending, mail: CourtesyMail) -> Begun | Wait:
    """Write the attempt; the wait where the mail server or its rates have no room for it now."""
    now, address = parts.clock.now(), mail.message.address
    until = server_waits_until(connection)
    if until and until > now:
        return Wait(seconds=(until - now).total_seconds(), scope=Scope.SERVER)
    wait = Places(connection, parts.rates, parts.transport.name).take([addresses.domain(address)])
    if isinstance(wait, Wait):
        return wait
    parts.note_key(connection)
    attempt = begin_courtesy(connection, kind=mail.kind, address=address, token=mail.token, now=now)
    return Begun(message=replace(mail.message, attempt_id=attempt, delivery_id=attempt), at=boot_seconds())


def hand_over(
    parts: Sending, begun: Begun, *, also: Callable[[Connection, Outcome], None] = lambda *_: None
) -> Outcome:
    """Hand a begun one to the transport and keep what came of it; `also` is done in the same transaction."""
    outcome = Outcome(attempt_id=begun.attempt_id, kind=OutcomeKind.UNCERTAIN, detail="nothing was answered")
    try:
        for each in parts.transport.send([begun.message], lambda: boot_seconds() - begun.at < BEGIN_WITHIN_SECONDS):
            outcome = each  # Known also where an interruption comes behind it.
    finally:
        _record(parts, outcome, also)
    log.info("courtesy %d: %s", begun.attempt_id, outcome.kind)
    return outcome


def send_now(parts: Sending, mail: CourtesyMail) -> Outcome:
    """Send a mail that somebody waits for. Short rates are waited out.

    Raises TransportError where the mail server as a whole does not take mail, or not for long.
    """
    try:
        parts.transport.open()
        while True:
            with parts.store.writing() as connection:
                begun = begin(connection, parts, mail)
            if isinstance(begun, Begun):
                outcome = hand_over(parts, begun)
                if not outcome.begun:
                    # Where nothing is taken from us at all, this says why, and what to do.
                    parts.transport.open()
                return outcome
            if not wait_out(begun.seconds, wanted=lambda: True, stop=parts.stop):
                minutes = max(round(begun.seconds / 60), 1)
                raise TransportError(
                    f"the mail server's limit is reached: it may be given no more for {minutes} minutes",
                    mend="Try again then, or look at the rates in the settings.",
                    temporary=True,
                )
    finally:
        parts.transport.close()


def may_be_written_to(parts: Sending, address: str) -> bool:
    """Whether this environment allows it."""
    return addresses.is_allowed(address, parts.allowed_domains)


def _record(parts: Sending, outcome: Outcome, also: Callable[[Connection, Outcome], None]) -> None:
    now = parts.clock.now()
    with parts.store.writing() as connection:
        end_courtesy(connection, outcome, now=now)
        if outcome.scope is Scope.SERVER and outcome.retry_after is not None:
            take_turns(connection, [THE_SERVER])
            back_off(connection, THE_SERVER, retry_after=outcome.retry_after, now=now)
        also(connection, outcome)
