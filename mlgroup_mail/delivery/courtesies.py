"""Mail outside mailings: its own durable attempt, within the transport's rates, and only to whom we may write."""

from collections.abc import Callable

from mlgroup_mail import addresses
from mlgroup_mail.content.compiling.courtesy import Courtesy
from mlgroup_mail.content.message.mime_tree import base64_lines
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.waiting import wait_out
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Message, Outcome
from mlgroup_mail.model.message import MergeValues, Sender
from mlgroup_mail.store import Connection
from mlgroup_mail.store.courtesies import begin_courtesy, end_courtesy
from mlgroup_mail.store.rates import Places, Wait


def begin(parts: Sending, *, kind: str, address: str, token: str) -> int:
    """The durable attempt, once the rates allow one more message. Raises TransportError where that takes long."""
    while True:
        with parts.store.writing() as connection:
            attempt = begin_within(connection, parts, kind=kind, address=address, token=token)
        if not isinstance(attempt, Wait):
            return attempt
        if not wait_out(attempt.seconds, wanted=lambda: True, stop=parts.stop):
            minutes = round(attempt.seconds / 60)
            raise TransportError(
                f"the mail server's limit is reached: it may be given no more for {minutes} minutes",
                mend="Try again then, or look at the rates in the settings.",
                temporary=True,
            )


def begin_within(connection: Connection, parts: Sending, *, kind: str, address: str, token: str) -> int | Wait:
    """The same within a transaction; the wait where the rates have no room for it now."""
    wait = Places(connection, parts.rates, parts.transport.name).take([addresses.domain(address)])
    if isinstance(wait, Wait):
        return wait
    return begin_courtesy(connection, kind=kind, address=address, token=token, now=parts.clock.now())


def make_message(
    parts: Sending,
    courtesy: Courtesy,
    values: MergeValues,
    *,
    attempt_id: int,
    kind: str,
    token: str,
    campaign: str,
    sender: Sender,
    list_id: str,
) -> Message:
    """The finished message of a begun one. `kind` and `token` as it was begun with: its Message-ID is made of them.

    `campaign` is the folder of the outbox in which it is shown. Raises ValueError where it cannot be made.
    """
    template = parts.transport.build(
        courtesy.compiled,
        sender=sender,
        list_id=list_id,
        one_click=bool(values.one_click),
        pictures={digest: base64_lines(content) for digest, content in courtesy.pictures.items()},
    )
    message_id = f"<{kind}.{token}@{addresses.domain(sender.address)}>"
    return Message(
        attempt_id=attempt_id,
        delivery_id=attempt_id,
        campaign=campaign,
        mailing=kind,
        envelope_from=sender.address,
        address=values.address,
        content=template.fill(values, message_id=message_id, date=parts.clock.now()),
        template=template,
    )


def hand_over(
    parts: Sending, message: Message, *, also: Callable[[Connection, Outcome], None] = lambda *_: None
) -> Outcome:
    """Hand a begun one to the transport and keep what came of it; `also` is done in the same transaction."""
    (outcome,) = parts.transport.send([message], lambda: True)
    with parts.store.writing() as connection:
        end_courtesy(connection, outcome, now=parts.clock.now())
        also(connection, outcome)
    return outcome


def may_be_written_to(parts: Sending, address: str) -> bool:
    """Whether this environment allows it."""
    return addresses.is_allowed(address, parts.allowed_domains)
