"""`test-send`: one real message to the team, marked as a test."""

import secrets
from collections.abc import Mapping

from mlgroup_mail import addresses
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.sample import TEST_MARK, make_sample
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.waiting import wait_out
from mlgroup_mail.errors import TransportError, UsageError
from mlgroup_mail.model import Contact, Message, Outcome
from mlgroup_mail.store.contacts import find_contact
from mlgroup_mail.store.courtesies import begin_courtesy, end_courtesy
from mlgroup_mail.store.rates import Places


def send_test(parts: Sending, source: FrozenSource, text: str, *, pictures: Mapping[str, bytes]) -> Outcome:
    """Send a mailing as `text`, an address, would get it; its opt-out link is dead. `pictures`: bytes by digest.

    Raises UsageError for an address that may not be written to from here, TransportError where the server as a whole
    does not take mail.
    """
    try:
        address = addresses.normalise(text)
    except addresses.AddressError as error:
        raise UsageError(f"--to: {error}") from None
    if not addresses.is_allowed(address, parts.allowed_domains):
        raise UsageError(
            f"{addresses.domain(address)} is outside the allowed domains of this environment",
            where="MLGROUP_ALLOWED_DOMAINS",
            mend="Add the domain, or set MLGROUP_ENVIRONMENT=production.",
        )
    with parts.store.reading() as connection:
        reader = find_contact(connection, address) or Contact(address=address)
    token, now = secrets.token_hex(8), parts.clock.now()
    sample = make_sample(
        source,
        reader,
        parts.links(source.topic),
        message_id=f"<test.{token}@{addresses.domain(source.sender.address)}>",
        at=now,
        pictures=pictures,
        mark=TEST_MARK,
    )
    try:
        parts.transport.open()
        attempt_id = _begin(parts, address, token)
        message = Message(
            attempt_id=attempt_id,
            delivery_id=attempt_id,
            campaign=source.campaign,
            mailing=f"{source.mailing}-test",
            envelope_from=source.sender.address,
            address=address,
            content=sample.content,
        )
        (outcome,) = parts.transport.send([message], lambda: True)
        with parts.store.writing() as connection:
            end_courtesy(connection, outcome, now=parts.clock.now())
    finally:
        parts.transport.close()
    return outcome


def _begin(parts: Sending, address: str, token: str) -> int:
    """The durable attempt, once the rates allow one more message."""
    while True:
        with parts.store.writing() as connection:
            wait = Places(connection, parts.rates, parts.transport.name).take_one(addresses.domain(address))
            if wait is None:
                return begin_courtesy(connection, kind="test", address=address, token=token, now=parts.clock.now())
        if not wait_out(wait, wanted=lambda: True, stop=parts.stop):
            raise TransportError(
                f"the mail server's limit is reached: it may be given no more for {round(wait.seconds / 60)} minutes",
                mend="Try again then, or look at the rates in the settings.",
                temporary=True,
            )
