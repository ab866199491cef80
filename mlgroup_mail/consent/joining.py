"""Joining with double opt-in: a form asks, a mail asks back, a button confirms it.

What the form is told says nothing about anybody: whoever is known, has opted out or was erased gets the same answer.
Only who reads the mailbox can confirm, and only that changes anything: they are on the list, and what they have asked
for before on our pages or by mail, and the memory of an erasure, gives way to what they want now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.consent.preferences import Choices, choices_of, choose_within
from mlgroup_mail.consent.readers_own import BY_THE_READER
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.model import ALL_TOPICS, Contact, Road, SignalKind
from mlgroup_mail.store import Connection, Store, suppressions
from mlgroup_mail.store.join_requests import (
    AboutThem,
    Applicant,
    JoinRequest,
    add_request,
    asked_lately,
    confirm_request,
    find_request,
    is_full,
)
from mlgroup_mail.store.joining import BY_PAGE, add_person, find_present_holder, welcome_back
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.preferences import turn_on

SOURCE = "join"
"""The source of those whom nobody had on a list."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinTerms:
    """What joining means in a project: `topics` are all of it, on by default or not; `joined` those one joins for."""

    topics: Mapping[str, bool]
    joined: Sequence[str]
    status: str
    per_hour: int
    erasure_key: str | None


def ask_to_join(store: Store, applicant: Applicant, terms: JoinTerms, *, now: datetime) -> bool | None:
    """Keep a request, durably; None where too many have asked in the last hour, False where this one did today."""
    with store.reading() as connection:
        if is_full(connection, per_hour=terms.per_hour, now=now):
            return None
        if asked_lately(connection, applicant.address, now=now):
            return False
    # It is no consent yet: no claim waits for it.
    with store.writing() as connection:
        return add_request(connection, applicant, per_hour=terms.per_hour, now=now)


def confirm(store: Store, token: str, about: AboutThem, terms: JoinTerms, *, now: datetime) -> Choices | None:
    """Put whoever has this link on the list, durably; None where it is no link of ours, or too old.

    What came with the request may be a stranger's word: `about` is what stood there when the button was pressed, and
    counts. Whoever presses again changes nothing. Raises ConfigurationError where erased people cannot be recognised.
    """
    with store.reading() as connection:
        request = find_request(connection, token, now=now)
        if request is None or request.contact_id is not None:
            return _confirmed(connection, request, terms)
    with store.deciding() as connection:
        request = find_request(connection, token, now=now)
        if request is not None and request.contact_id is None:
            request = replace(request, **asdict(about))
            contact_id = _put_on_the_list(connection, request, terms, now=now)
            wanted = dict.fromkeys(terms.joined, True)
            choose_within(connection, contact_id, wanted, terms.topics, knowing=True, now=now)
            # Whatever a list will say of them.
            chosen = choices_of(connection, contact_id, terms.topics).turned_on
            turn_on(connection, contact_id, set(terms.joined) - chosen, now=now)
            confirm_request(connection, request, contact_id=contact_id, now=now)
    with store.reading() as connection:
        return _confirmed(connection, find_request(connection, token, now=now), terms)


def find_joining(
    store: Store, token: str, terms: JoinTerms, *, now: datetime
) -> tuple[JoinRequest | None, Choices | None]:
    """The request that a link is of, and how it stands for whoever has confirmed it; None for what there is not."""
    with store.reading() as connection:
        request = find_request(connection, token, now=now)
        return request, _confirmed(connection, request, terms)


def may_be_asked(connection: Connection, address: str, terms: JoinTerms) -> bool:
    """Whether joining would give this address any mail: else it is not written to at all.

    A complaint, a bounce, and what the team, a file or the provider has said end by a person's word only.
    """
    contact_id = find_present_holder(connection, address)
    rules = suppressions.suppressions(connection, address=address, contact_id=contact_id)
    stopped = {
        rule.topic
        for rule in rules
        if rule.kind is not SignalKind.OPT_OUT or rule.road not in {Road.PAGE, Road.MAILBOX}
    }
    return ALL_TOPICS not in stopped and not stopped.issuperset(terms.joined)


def gets_mail(connection: Connection, contact_id: int, address: str, terms: JoinTerms) -> bool:
    """Whether nothing stands between this person and a topic that they have joined for."""
    return any(not restrictions(connection, {contact_id: address}, topic) for topic in terms.joined)


def _confirmed(connection: Connection, request: JoinRequest | None, terms: JoinTerms) -> Choices | None:
    # Asked for nobody, too: the time must not tell.
    contact_id = request.contact_id if request else None
    choices = choices_of(connection, contact_id or 0, terms.topics)
    return choices if contact_id else None


def _put_on_the_list(connection: Connection, request: JoinRequest, terms: JoinTerms, *, now: datetime) -> int:
    came_back = ErasedPeople(connection, terms.erasure_key).let_back(request.address)
    contact = Contact(
        address=request.address,
        name=request.name,
        organisation=request.organisation,
        country=request.country,
        language=request.language,
        status=terms.status,
        # Filled, so that it means exactly these: they have asked for nothing else.
        topics=tuple(terms.joined),
        source=SOURCE,
    )
    contact_id = find_present_holder(connection, request.address)
    if contact_id is None:
        contact_id = add_person(connection, contact, origin=BY_PAGE, now=now)
    else:
        welcome_back(connection, contact_id, contact, origin=BY_PAGE, now=now)
    reason = "confirmed by mail" + (", after having been erased" if came_back else "")
    write_journal(connection, None, "join", reason=reason, actor=BY_THE_READER, now=now, contact_id=contact_id)
    return contact_id
