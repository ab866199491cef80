"""Why somebody gets a mailing, or does not."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.contacts.segment_rules import rule_text
from mlgroup_mail.content.campaigns.campaign import MailingSpec, campaign_ids, read_campaign
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.canaries import find_riders, split_riders
from mlgroup_mail.delivery.planning import audience_of
from mlgroup_mail.errors import MailError, UsageError
from mlgroup_mail.model import (
    Contact,
    DeliveryState,
    EventKind,
    ExclusionReason,
    MailingRef,
    MailingState,
    OutcomeKind,
    Suppression,
)
from mlgroup_mail.settings.app import App
from mlgroup_mail.store import Connection
from mlgroup_mail.store.contacts import find_contact, is_listed
from mlgroup_mail.store.deliveries import DeliveryRow, deliveries_to
from mlgroup_mail.store.events import DeliveryEvent, last_words
from mlgroup_mail.store.join_requests import Unconfirmed, requests_of
from mlgroup_mail.store.mailings import find_mailing
from mlgroup_mail.store.second_copies import perhaps_twice
from mlgroup_mail.store.suppressions import suppressions


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingAnswer:
    """Would, will or did they get one mailing: `answer` is one of got, gets, would get, does not get, in doubt."""

    mailing: str
    answer: str
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """What was learned of deliveries after they went: the event that says most of each, and who may have two copies."""

    since: dict[int, DeliveryEvent]
    twice: frozenset[int]

    def told(self, delivery_id: int) -> str:
        """What became of one, to be added to its state; "" where nothing is known."""
        twice = "; a second copy was ordered, and both may have arrived" if delivery_id in self.twice else ""
        return _told_later(self.since.get(delivery_id)) + twice


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """All there is to say about one address; `chosen` are the topics that they have turned on for themselves."""

    address: str
    contact_id: int | None
    headline: str
    rules: tuple[Suppression, ...]
    mailings: tuple[MailingAnswer, ...]
    chosen: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "address": self.address,
            "contact_id": self.contact_id,
            "opt_outs": [
                {
                    "topic": rule.topic,
                    "restriction": rule.restriction,
                    "reason": rule.reason,
                    "road": rule.road,
                    "evidence": rule.evidence,
                    "at": rule.at.isoformat(),
                }
                for rule in self.rules
            ],
            "chosen_topics": list(self.chosen),
            "mailings": [
                {"mailing": each.mailing, "answer": each.answer, "because": each.because} for each in self.mailings
            ],
        }

    def rule_rows(self) -> list[list[object]]:
        """For a table."""
        return [
            [rule.restriction, rule.on, rule.reason, rule.road, rule.evidence, f"{rule.at:%Y-%m-%d}"]
            for rule in self.rules
        ]

    def mailing_rows(self) -> list[list[object]]:
        """For a table."""
        return [[each.mailing, each.answer, each.because] for each in self.mailings]


def explain_address(app: App, text: str) -> Explanation:
    """What an address gets and why; raises UsageError where it is no address."""
    try:
        address = addresses.normalise(text)
    except addresses.AddressError as error:
        raise UsageError(f"“{text}” is not a mail address: {error}") from None
    with app.store.reading() as connection:
        contact = find_contact(connection, address)
        rules = suppressions(connection, address=address, contact_id=contact.contact_id if contact else None)
        done = {row.ref: row for row in deliveries_to(connection, contact.contact_id)} if contact else {}
        told = [row.delivery_id for row in done.values()]
        later = Later(since=last_words(connection, told), twice=perhaps_twice(connection, told))
        listed = contact is not None and is_listed(connection, contact.contact_id)
        asked = requests_of(connection, address)
    canary = _canary(app, address)
    return Explanation(
        address=address,
        contact_id=contact.contact_id if contact else None,
        headline=_headline(address, contact, canary, listed=listed) + _chosen(contact) + _asked(asked),
        chosen=contact.chosen if contact else (),
        rules=tuple(rules),
        mailings=tuple(_answers(app, contact if listed else None, done, later, address if canary else "")),
    )


def _canary(app: App, address: str) -> str:
    """The place in which this address rides along with each mailing; "" where it does not."""
    for canary in app.project.canaries:
        with suppress(addresses.AddressError):
            if addresses.key(addresses.normalise(canary.address)) == addresses.key(address):
                return canary.place
    return ""


def _headline(address: str, contact: Contact | None, canary: str, *, listed: bool) -> str:
    if canary and not listed:
        number = f", contact {contact.contact_id}," if contact else ""
        return f"{address}{number} is on no list; it rides along with each mailing as a canary ({canary})."
    if canary and contact:
        return f"{_headline(address, contact, '', listed=listed)} They ride along as a canary ({canary})."
    if contact is None:
        return f"{address} is nobody on the list."
    if not listed:
        return f"{address} was contact {contact.contact_id}: {contact.name or 'no name'}, and is no longer on the list."
    return f"{address} is contact {contact.contact_id}: {contact.name or 'no name'}, {contact.status}."


def _chosen(contact: Contact | None) -> str:
    return f" They have turned on for themselves: {', '.join(contact.chosen)}." if contact and contact.chosen else ""


def _asked(requests: list[Unconfirmed]) -> str:
    return "".join(
        f" Somebody asked to join with it ({each.asked_at:%Y-%m-%d}), and nobody has confirmed it yet."
        f" {_question(each)}"
        for each in requests
    )


def _question(request: Unconfirmed) -> str:
    """What became of the mail that asks them."""
    if request.kept_back:
        return f"No mail has gone to them: {request.kept_back.meaning}."
    if request.begun_at is None:
        return "The mail that asks them has not gone yet: it goes with the pages, or with the next `dispatch --live`."
    detail = f" ({request.detail})" if request.detail else ""
    if request.outcome in {OutcomeKind.ACCEPTED, OutcomeKind.REFUSED}:
        return f"The mail that asks them was {request.outcome} on {request.begun_at:%Y-%m-%d %H:%M} UTC{detail}."
    return f"The mail that asks them was begun on {request.begun_at:%Y-%m-%d %H:%M} UTC, and may or may not have gone."


def _answers(
    app: App,
    contact: Contact | None,
    done: dict[MailingRef, DeliveryRow],
    later: Later,
    canary: str,
) -> list[MailingAnswer]:
    answers = [_happened(app, row, later) for row in done.values()]
    for campaign_id in campaign_ids(app.project):
        try:
            campaign = read_campaign(app.project, campaign_id)
        except MailError as error:
            answers.append(_unknown(campaign_id, error))
            continue
        for spec in campaign.mailings:
            if (ref := MailingRef(campaign_id, spec.name)) not in done:
                try:
                    answers.append(_would(app, contact, ref, spec, canary))
                except MailError as error:
                    answers.append(_unknown(ref, error))
    return answers


def _unknown(what: object, error: MailError) -> MailingAnswer:
    return MailingAnswer(mailing=str(what), answer="unknown", because=error.problem.message)


def _happened(app: App, row: DeliveryRow, later: Later) -> MailingAnswer:
    answer, because = _STATES[row.state]
    if row.canary and row.state is not DeliveryState.EXCLUDED:
        because = f"{because} (rides along as a canary, {row.canary})"
    if row.state is DeliveryState.EXCLUDED:
        because = ExclusionReason(row.reason).meaning
    elif row.state.claimable and (reason := _stopped_since(app, row)):
        answer, because = "does not get", reason.meaning
    elif row.reason:
        because = f"{because}: {row.reason}"
    return MailingAnswer(mailing=str(row.ref), answer=answer, because=because + later.told(row.delivery_id))


def _told_later(event: DeliveryEvent | None) -> str:
    """As the provider or a mailbox told it; nothing where that is only that the provider has it."""
    if event is None or event.kind is EventKind.PROCESSED:
        return ""
    sort = f" ({event.bounce})" if event.bounce else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"; then {event.kind}{sort} on {event.at:%Y-%m-%d}{detail}"


def _stopped_since(app: App, row: DeliveryRow) -> ExclusionReason | None:
    """What the next claim would find."""
    with app.store.reading() as connection:
        mailing = find_mailing(connection, row.ref)
        assert mailing is not None, "it has deliveries"
        stopped = restrictions(connection, {row.contact_id: row.address}, mailing.topic)
    allowed = addresses.is_allowed(row.address, app.allowed_domains)
    return stopped.get(row.contact_id, None if allowed else ExclusionReason.NOT_ALLOWED)


_STATES = {
    DeliveryState.PLANNED: ("gets", "planned"),
    DeliveryState.ATTEMPTING: ("gets", "being sent now"),
    DeliveryState.ACCEPTED: ("got", "accepted"),
    DeliveryState.REFUSED: ("does not get", "refused"),
    DeliveryState.DEFERRED: ("gets", "deferred, tried again later"),
    DeliveryState.UNCERTAIN: ("in doubt", "may or may not have been accepted"),
    DeliveryState.EXCLUDED: ("does not get", ""),
    DeliveryState.CANCELLED: ("does not get", "the mailing was cancelled"),
}


def _would(app: App, contact: Contact | None, ref: MailingRef, spec: MailingSpec, canary: str) -> MailingAnswer:
    """`canary` is their address where they ride along, else "" ."""
    if contact is None and not canary:
        return MailingAnswer(mailing=str(ref), answer="does not get", because="nobody on the list")
    source = app.frozen(ref)
    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
        if row is not None and row.state is MailingState.CANCELLED:
            return MailingAnswer(mailing=str(ref), answer="does not get", because="the mailing was cancelled")
        if row is not None and row.audience is not None:
            because = "was not in its audience when that was frozen"
            return MailingAnswer(mailing=str(ref), answer="does not get", because=because)
        if canary:
            return _would_ride(app, connection, source, canary)
        assert contact is not None, "told above"
        audience = audience_of(
            connection,
            [contact],
            segment=app.segment(spec.audience, where=spec.where),
            source=source,
            allowed_domains=app.allowed_domains,
        )
    written = rule_text(spec.audience)
    if audience.recipients:
        return MailingAnswer(mailing=str(ref), answer="would get", because=f"is in the audience {written}")
    because = audience.exclusions[0].reason.meaning if audience.exclusions else f"is not in the audience {written}"
    return MailingAnswer(mailing=str(ref), answer="does not get", because=because)


def _would_ride(app: App, connection: Connection, source: FrozenSource, address: str) -> MailingAnswer:
    riders = [
        rider
        for rider in find_riders(connection, source).riders
        if addresses.key(rider.contact.address) == addresses.key(address)
    ]
    _, exclusions = split_riders(connection, riders, source, allowed_domains=app.allowed_domains)
    if exclusions:
        return MailingAnswer(mailing=str(source.ref), answer="does not get", because=exclusions[0].reason.meaning)
    because = f"rides along as a canary ({', '.join(rider.place for rider in riders)})"
    return MailingAnswer(mailing=str(source.ref), answer="would get", because=because)
