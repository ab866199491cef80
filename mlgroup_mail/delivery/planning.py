"""Planning: from an approved mailing to an audience in the ledger, in chunks that can be stopped and go on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.contacts.audience import split_audience
from mlgroup_mail.contacts.segments import Answers, Segment
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.answers import answers_for
from mlgroup_mail.delivery.canaries import (
    Erased,
    Riders,
    find_riders,
    nobody_erased,
    plan_riders,
    seat_riders,
    split_riders,
)
from mlgroup_mail.delivery.short_pauses import short_pauses
from mlgroup_mail.delivery.variants import Variants
from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import Audience, Contact, Exclusion, ExclusionReason, MailingState
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.contacts import contacts_after, count_contacts
from mlgroup_mail.store.mailings import MailingRow, find_mailing
from mlgroup_mail.store.plans import (
    begin_planning,
    count_planned,
    end_planning,
    take_turn,
    without_planned_mailboxes,
    write_chunk,
)
from mlgroup_mail.store.transactions import decisions

CHUNK = 300
"""People a planning transaction writes: a one-click opt-out waits for one such chunk at most, some 10 ms (measured)."""


@short_pauses()
def plan(
    store: Store,
    mailing: MailingRow,
    *,
    segment: Segment,
    allowed_domains: tuple[str, ...] | None,
    batch_size: int,
    spacing: timedelta = timedelta(),
    now: datetime,
    erased: Erased = nobody_erased,
    progress: Progress = silent,
) -> None:
    """Freeze the audience of an approved mailing, compile its variants and make its batches.

    Can be stopped between any two chunks and run again, and by two processes at once: the cursor in the mailing's
    row says where to go on. What is compiled is what recipients read: of somebody who is left out nothing can be in
    the way. Canaries are written last, into batches of their own; `erased` tells whom of them nobody may add. Raises
    CampaignError where the text falls into too many variants, or where the segment asks about a mailing
    that has no audience yet; MailingStateError where the mailing was approved anew since `mailing` was read.
    """
    source = FrozenSource.from_json(mailing.source)
    with store.reading() as connection:
        answers_for(connection, segment, [])
        total = count_contacts(connection)
    with store.writing() as connection:
        begin_planning(connection, mailing, now=now)
    riders = seat_riders(store, source, erased=erased, now=now)
    part = partial(_parted, segment=segment, source=source, allowed_domains=allowed_domains, riders=riders)
    variants, done = Variants(source), 0
    variants.compile_for(riders.contacts)
    while (current := _the_same(store, mailing)).state is MailingState.PLANNING:
        with store.reading() as connection:
            known = decisions(connection)
            people = contacts_after(connection, current.plan_cursor, CHUNK)
            answers = answers_for(connection, segment, people)
            stopped = _stopped(connection, people, source)
            recipients, exclusions = part(connection, current, people, answers, stopped)
            planned_so_far = 0 if people else count_planned(connection, current)
        variants.compile_for(recipients)
        with store.claiming() as connection:
            if not take_turn(connection, current):
                continue
            if not people:
                plan_riders(connection, current, riders, source, variants, allowed_domains=allowed_domains, now=now)
                end_planning(connection, current, planned=planned_so_far, now=now)
                break
            # Nobody's wish but these people's is a reason to part them anew.
            if decisions(connection) != known and (now_stopped := _stopped(connection, people, source)) != stopped:
                recipients, exclusions = part(connection, current, people, answers, now_stopped)
            planned = variants.give(connection, current, recipients)
            if planned is not None:
                write_chunk(
                    connection,
                    current,
                    recipients=planned,
                    exclusions=exclusions,
                    cursor=people[-1].contact_id,
                    batch_size=batch_size,
                    spacing=spacing,
                    now=now,
                )
        if planned is None:
            # Consent changed between the two transactions. Each such round compiles one more, so there is an end.
            variants.compile_for(recipients)
            continue
        done += len(people)
        progress(done, max(total, done))


def _parted(
    connection: Connection,
    mailing: MailingRow,
    people: Sequence[Contact],
    answers: Answers,
    stopped: Mapping[int, ExclusionReason],
    *,
    segment: Segment,
    source: FrozenSource,
    allowed_domains: tuple[str, ...] | None,
    riders: Riders,
) -> tuple[list[Contact], list[Exclusion]]:
    """The recipients and the exclusions of a chunk, where consent has `stopped` these; canaries are none of them."""
    audience = audience_of(
        connection,
        riders.without(people),
        segment=segment,
        source=source,
        allowed_domains=allowed_domains,
        answers=answers,
        stopped=stopped,
        mailboxes=riders.mailboxes,
    )
    recipients, doubled = without_planned_mailboxes(connection, mailing, audience.recipients)
    return recipients, [*audience.exclusions, *doubled]


def audience_of(
    connection: Connection,
    people: Sequence[Contact],
    *,
    segment: Segment,
    source: FrozenSource,
    allowed_domains: tuple[str, ...] | None,
    answers: Answers | None = None,
    stopped: Mapping[int, ExclusionReason] | None = None,
    mailboxes: set[str] | None = None,
) -> Audience:
    """Who of these people gets a mailing, and who does not and why, by what the store says now.

    `answers`, and whom consent has `stopped`, are those read already. `mailboxes` are those that earlier chunks gave a
    recipient; new ones are added. Raises CampaignError where the segment asks about a mailing that has no audience yet.
    """
    return split_audience(
        people,
        segment=segment,
        topic=source.topic,
        topic_default=source.topic_default,
        restrictions=_stopped(connection, people, source) if stopped is None else stopped,
        allowed_domains=allowed_domains,
        answers=answers_for(connection, segment, people) if answers is None else answers,
        mailboxes=mailboxes,
    )


def _stopped(connection: Connection, people: Sequence[Contact], source: FrozenSource) -> Mapping[int, ExclusionReason]:
    """Whom of these people consent keeps from this mailing now, and why."""
    return restrictions(connection, {person.contact_id: person.address for person in people}, source.topic)


def audiences_now(
    connection: Connection,
    *,
    segment: Segment,
    source: FrozenSource,
    allowed_domains: tuple[str, ...] | None,
    canaries: bool = True,
    look: Callable[[Sequence[Contact]], None] = lambda _: None,
) -> Iterator[Audience]:
    """The audience that a mailing would have if it were planned now, a chunk of the list at a time.

    Those of the team who ride along come last, if at all: without `canaries` only the list's people are looked at, each
    in their own place. `look` is shown each chunk of the list, whoever of it is in the audience.
    """
    riders = find_riders(connection, source) if canaries else Riders()
    mailboxes = riders.mailboxes
    last = 0
    while people := contacts_after(connection, last, CHUNK):
        look(people)
        yield audience_of(
            connection,
            riders.without(people),
            segment=segment,
            source=source,
            allowed_domains=allowed_domains,
            mailboxes=mailboxes,
        )
        last = people[-1].contact_id
    if riders.riders:
        recipients, exclusions = split_riders(connection, riders.riders, source, allowed_domains=allowed_domains)
        yield Audience(recipients=tuple(recipients), exclusions=tuple(exclusions))


def _the_same(store: Store, mailing: MailingRow) -> MailingRow:
    """The mailing's row as it is now; raises MailingStateError where another text was approved meanwhile."""
    current = reread(store, mailing)
    if current.digest != mailing.digest:
        raise MailingStateError(f"{mailing.ref} was approved anew meanwhile", mend="Run the same command again.")
    return current


def reread(store: Store, mailing: MailingRow) -> MailingRow:
    """The mailing's row as it is now."""
    with store.reading() as connection:
        found = find_mailing(connection, mailing.ref)
    assert found is not None, "mailings are never deleted"
    return found
