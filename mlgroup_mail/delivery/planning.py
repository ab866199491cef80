"""Planning: from an approved mailing to an audience in the ledger, in chunks that can be stopped and go on."""

from collections.abc import Callable, Sequence
from datetime import datetime

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.contacts.audience import split_audience
from mlgroup_mail.contacts.segments import Segment
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.variants import Variants
from mlgroup_mail.model import Audience, Contact, MailingState
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.contacts import contacts_after, count_contacts
from mlgroup_mail.store.mailings import MailingRow, find_mailing
from mlgroup_mail.store.plans import (
    begin_planning,
    end_planning,
    take_turn,
    without_planned_mailboxes,
    write_chunk,
)

CHUNK = 2000
"""People a planning transaction looks at: a consent writer waits for one such chunk at most."""

Progress = Callable[[int, int], None]
"""(done, of how many), told after each step of long work."""


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def plan(
    store: Store,
    mailing: MailingRow,
    *,
    segment: Segment,
    allowed_domains: tuple[str, ...] | None,
    batch_size: int,
    now: datetime,
    progress: Progress = silent,
) -> None:
    """Freeze the audience of an approved mailing, compile its variants and make its batches.

    Can be stopped between any two chunks and run again, and by two processes at once: the cursor in the mailing's
    row says where to go on. Raises CampaignError where the text falls into too many variants, MailingStateError where
    the mailing was approved anew since `mailing` was read.
    """
    source = FrozenSource.from_json(mailing.source)
    with store.writing() as connection:
        begin_planning(connection, mailing, now=now)
    with store.reading() as connection:
        total = count_contacts(connection)
    variants, done = Variants(source), 0
    while (current := reread(store, mailing)).state is MailingState.PLANNING:
        with store.reading() as connection:
            people = contacts_after(connection, current.plan_cursor, CHUNK)
        variants.compile_for(filter(segment.matches, people))
        with store.claiming() as connection:
            if not take_turn(connection, current):
                continue
            if not people:
                end_planning(connection, current, now=now)
                break
            audience = audience_of(connection, people, segment=segment, source=source, allowed_domains=allowed_domains)
            recipients, doubled = without_planned_mailboxes(connection, current, audience.recipients)
            write_chunk(
                connection,
                current,
                recipients=variants.give(connection, current, recipients),
                exclusions=[*audience.exclusions, *doubled],
                cursor=people[-1].contact_id,
                batch_size=batch_size,
                now=now,
            )
        done += len(people)
        progress(done, max(total, done))


def audience_of(
    connection: Connection,
    people: Sequence[Contact],
    *,
    segment: Segment,
    source: FrozenSource,
    allowed_domains: tuple[str, ...] | None,
) -> Audience:
    """Who of these people gets a mailing, and who does not and why, by what the store says now."""
    return split_audience(
        people,
        segment=segment,
        topic=source.topic,
        topic_default=source.topic_default,
        restrictions=restrictions(connection, {person.contact_id: person.address for person in people}, source.topic),
        allowed_domains=allowed_domains,
    )


def reread(store: Store, mailing: MailingRow) -> MailingRow:
    """The mailing's row as it is now."""
    with store.reading() as connection:
        found = find_mailing(connection, mailing.ref)
    assert found is not None, "mailings are never deleted"
    return found
