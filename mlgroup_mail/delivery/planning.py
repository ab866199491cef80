"""Planning: from an approved mailing to an audience in the ledger, in chunks that can be stopped and go on."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.contacts.audience import split_audience
from mlgroup_mail.contacts.segments import Answers, Segment
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.answers import answers_for
from mlgroup_mail.delivery.variants import Variants
from mlgroup_mail.model import Audience, Contact, MailingState
from mlgroup_mail.progress import Progress, silent
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
    row says where to go on. Raises CampaignError where the text falls into too many variants, or where the segment asks
    about a mailing that has no audience yet; MailingStateError where the mailing was approved anew since `mailing`
    was read.
    """
    source = FrozenSource.from_json(mailing.source)
    with store.reading() as connection:
        answers_for(connection, segment, [])
        total = count_contacts(connection)
    with store.writing() as connection:
        begin_planning(connection, mailing, now=now)
    variants, done = Variants(source), 0
    while (current := reread(store, mailing)).state is MailingState.PLANNING:
        with store.reading() as connection:
            people = contacts_after(connection, current.plan_cursor, CHUNK)
            answers = answers_for(connection, segment, people)
        variants.compile_for(segment.select(people, answers))
        with store.claiming() as connection:
            if not take_turn(connection, current):
                continue
            if not people:
                end_planning(connection, current, now=now)
                break
            audience = audience_of(
                connection, people, segment=segment, source=source, allowed_domains=allowed_domains, answers=answers
            )
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
    answers: Answers | None = None,
    mailboxes: set[str] | None = None,
) -> Audience:
    """Who of these people gets a mailing, and who does not and why, by what the store says now.

    `answers` are those read already. `mailboxes` are those that earlier chunks gave a recipient; new ones are added.
    Raises CampaignError where the segment asks about a mailing that has no audience yet.
    """
    return split_audience(
        people,
        segment=segment,
        topic=source.topic,
        topic_default=source.topic_default,
        restrictions=restrictions(connection, {person.contact_id: person.address for person in people}, source.topic),
        allowed_domains=allowed_domains,
        answers=answers_for(connection, segment, people) if answers is None else answers,
        mailboxes=mailboxes,
    )


def audiences_now(
    connection: Connection, *, segment: Segment, source: FrozenSource, allowed_domains: tuple[str, ...] | None
) -> Iterator[Audience]:
    """The audience that a mailing would have if it were planned now, a chunk of the list at a time."""
    mailboxes: set[str] = set()
    last = 0
    while people := contacts_after(connection, last, CHUNK):
        yield audience_of(
            connection,
            people,
            segment=segment,
            source=source,
            allowed_domains=allowed_domains,
            mailboxes=mailboxes,
        )
        last = people[-1].contact_id


def reread(store: Store, mailing: MailingRow) -> MailingRow:
    """The mailing's row as it is now."""
    with store.reading() as connection:
        found = find_mailing(connection, mailing.ref)
    assert found is not None, "mailings are never deleted"
    return found
