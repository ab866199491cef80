"""What people order: pause, resume, cancel, more time, and the end of doubt. Each stands in the journal."""

from datetime import datetime, timedelta

from mlgroup_mail import addresses
from mlgroup_mail.delivery.settling import settle_in_parts
from mlgroup_mail.errors import MailingStateError, UsageError
from mlgroup_mail.model import DeliveryStep, MailingRef, MailingState, MailingStep
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.deliveries import resolve_delivery, uncertain_deliveries
from mlgroup_mail.store.events import settle_by_evidence
from mlgroup_mail.store.mailings import MailingRow, cancel_mailing, extend_mailing, find_mailing, order_mailing
from mlgroup_mail.store.recording import due_again

LATE = timedelta(hours=48)
"""How long a mailing sent with `--late` may still go out."""


def pause(store: Store, ref: MailingRef, *, reason: str, by: str, now: datetime) -> None:
    """Stop a mailing: the next claim sees it. Raises MailingStateError where there is nothing to stop."""
    with store.writing() as connection:
        mailing = _known(connection, ref)
        order_mailing(connection, mailing.mailing_id, MailingStep.PAUSE, reason=reason, actor=by, now=now)


def resume(store: Store, ref: MailingRef, *, reason: str, by: str, now: datetime) -> None:
    """Let a paused or held mailing go on; what had stood still for long is not held for that again.

    Whom the mail server put off because it took nothing from us need not wait: that is mended.
    """
    with store.writing() as connection:
        mailing = _known(connection, ref)
        order_mailing(
            connection, mailing.mailing_id, MailingStep.RESUME, reason=reason, actor=by, now=now, resumed_at=now
        )
        due_again(connection, mailing.mailing_id, now=now)


def cancel(store: Store, ref: MailingRef, *, reason: str, by: str, now: datetime) -> int:
    """End a mailing; returns how many deliveries were still to go.

    Nothing is claimed from the first transaction on. Where it is interrupted, the next dispatch cancels the rest.
    """
    with store.writing() as connection:
        cancelled = cancel_mailing(connection, _known(connection, ref).mailing_id, reason=reason, by=by, now=now)
    return cancelled + settle_in_parts(store, ref, now=now)


def extend(store: Store, mailing: MailingRow, *, reason: str, by: str, now: datetime) -> None:
    """Give a mailing 48 hours from now, outside what was approved."""
    if mailing.state in {MailingState.FINISHED, MailingState.CANCELLED}:
        raise MailingStateError(f"{mailing.ref} is {mailing.state}: there is nothing left to send")
    with store.writing() as connection:
        extend_mailing(connection, mailing.mailing_id, stop_at=now + LATE, reason=reason, by=by, now=now)


def resolve(
    store: Store,
    ref: MailingRef,
    step: DeliveryStep,
    *,
    address: str | None = None,
    contact_id: int | None = None,
    reason: str,
    by: str,
    now: datetime,
) -> int:
    """Settle the uncertain deliveries of a mailing, or the one to `address` or a contact; returns how many.

    What has been shown by now is uncertain no longer. Raises UsageError where there is no reason, or none is
    uncertain: a slip in the address must not pass for done.
    """
    if not reason.strip():
        raise UsageError("--reason is empty: say what you know about it")
    try:
        wanted = addresses.normalise(address) if address else None
    except addresses.AddressError as error:
        raise UsageError(f"--address: {error}") from None
    with store.writing() as connection:
        # In its own transaction: what is known already stays so where nothing is left to decide.
        settle_by_evidence(connection, _known(connection, ref).mailing_id, now=now)
    with store.writing() as connection:
        mailing = _known(connection, ref)
        if step is DeliveryStep.RESOLVE_RESEND and mailing.state is MailingState.CANCELLED:
            raise MailingStateError(f"{ref} is cancelled: nothing of it is sent again")
        found = uncertain_deliveries(connection, mailing, address=wanted, contact_id=contact_id)
        if not found:
            whose = "to that address " if address else f"to contact {contact_id} " if contact_id is not None else ""
            raise UsageError(f"no delivery of {ref} {whose}is uncertain")
        return sum(resolve_delivery(connection, mailing, row, step, reason=reason, by=by, now=now) for row in found)


def _known(connection: Connection, ref: MailingRef) -> MailingRow:
    mailing = find_mailing(connection, ref)
    if mailing is None:
        raise UsageError(f"the ledger knows no mailing {ref}", mend="See: mlgroup-mail status")
    return mailing
