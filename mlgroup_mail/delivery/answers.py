"""What the ledger answers to `accepted`, for the people that a segment looks at."""

from collections.abc import Sequence

from mlgroup_mail.contacts.segments import Segment
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import Contact, DeliveryState, MailingRef
from mlgroup_mail.store import Connection
from mlgroup_mail.store.answers import accepted_between
from mlgroup_mail.store.mailings import MailingRow, delivery_counts, find_mailing


def answers_for(connection: Connection, segment: Segment, people: Sequence[Contact]) -> dict[MailingRef, set[int]]:
    """For each mailing that the segment asks about: which of these people it was accepted for.

    Raises CampaignError for a mailing that has no audience yet, whoever these people are.
    """
    mailings = _mailings(connection, segment)
    ids = [person.contact_id for person in people] if mailings else []
    if not ids:
        return {ref: set() for ref in mailings}
    return {ref: accepted_between(connection, row.mailing_id, min(ids), max(ids)) for ref, row in mailings.items()}


def states_of(connection: Connection, segment: Segment) -> dict[MailingRef, dict[DeliveryState, int]]:
    """How the deliveries stand of each mailing that the segment asks about; raises CampaignError as `answers_for`."""
    mailings = _mailings(connection, segment)
    return {ref: delivery_counts(connection, row.mailing_id) for ref, row in mailings.items()}


def _mailings(connection: Connection, segment: Segment) -> dict[MailingRef, MailingRow]:
    found: dict[MailingRef, MailingRow] = {}
    for ref in sorted(segment.mailings):
        row = find_mailing(connection, ref)
        if row is None or row.audience is None:
            raise CampaignError(
                f"the audience asks for whom {ref} was accepted, and it has not been planned: that is nobody",
                where=segment.where,
                mend="Name a mailing that has gone out: `mlgroup-mail status` lists them.",
            )
        found[ref] = row
    return found
