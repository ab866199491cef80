"""`test-send`: one real message to the team, marked as a test."""

from collections.abc import Mapping

from mlgroup_mail import addresses
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.courtesies import CourtesyMail, may_be_written_to, message_id, new_token, send_now
from mlgroup_mail.delivery.sample import TEST_MARK, make_sample
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Contact, CourtesyKind, Message, Outcome
from mlgroup_mail.store.contacts import find_contact


def send_test(parts: Sending, source: FrozenSource, text: str, *, pictures: Mapping[str, bytes]) -> Outcome:
    """Send a mailing as `text`, an address, would get it; its opt-out link is dead. `pictures`: bytes by digest.

    Raises UsageError for an address that may not be written to from here, TransportError where the server as a whole
    does not take mail.
    """
    try:
        address = addresses.normalise(text)
    except addresses.AddressError as error:
        raise UsageError(f"--to: {error}") from None
    if not may_be_written_to(parts, address):
        raise UsageError(
            f"{addresses.domain(address)} is outside the allowed domains of this environment",
            where="MLGROUP_ALLOWED_DOMAINS",
            mend="Add the domain, or set MLGROUP_ENVIRONMENT=production.",
        )
    with parts.store.reading() as connection:
        reader = find_contact(connection, address) or Contact(address=address)
    token = new_token()
    sample = make_sample(
        source,
        reader,
        parts.links(source.topic),
        message_id=message_id(CourtesyKind.TEST, token, source.sender),
        at=parts.clock.now(),
        pictures=pictures,
        mark=TEST_MARK,
        build=parts.transport.build,
    )
    message = Message(
        attempt_id=0,
        delivery_id=0,
        campaign=source.campaign,
        mailing=f"{source.mailing}-test",
        envelope_from=source.sender.address,
        address=address,
        content=sample.content,
        template=sample.template,
    )
    return send_now(parts, CourtesyMail(kind=CourtesyKind.TEST, token=token, message=message))
