"""What a report says, as values: everything is counted here, the page only shows it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from mlgroup_mail import addresses
from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.delivery.approving import approved_source
from mlgroup_mail.model import CompiledMessage, DeliveryState, ExclusionReason, MailingRef
from mlgroup_mail.reporting.contact_columns import country_name
from mlgroup_mail.reporting.report.groups import Grouped, grouped
from mlgroup_mail.reporting.status import MailingStatus, status_of
from mlgroup_mail.settings.app import App
from mlgroup_mail.store import Connection
from mlgroup_mail.store.aftermath import LaterRules, count_events, later_rules
from mlgroup_mail.store.deliveries import (
    DeliveryRow,
    canary_deliveries,
    deliveries_perhaps_twice,
    uncertain_deliveries,
)
from mlgroup_mail.store.journal import JournalEntry, journal_of
from mlgroup_mail.store.mailings import MailingRow, find_mailing
from mlgroup_mail.store.outcome_counts import (
    accepted_at,
    attempted_between,
    count_answers,
    count_exclusions,
    shares_by_country,
    shares_by_domain,
    transports_of,
)
from mlgroup_mail.store.plans import compiled_variants
from mlgroup_mail.zones import zone_named

AFTERMATH = timedelta(days=14)
"""An opt-out is taken for an answer to a mailing for so long after its last attempt."""
NAMED = 100
"""So many uncertain ones are named; `log` has all."""
_ANSWERS = 12
_STOPS = {"pause": "paused", "hold": "held", "cancel": "cancelled"}
_GOES_ON = frozenset({"resume", "late"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A time in which nothing was begun: `why` it stood still, by whose order; `until` is None while it does."""

    since: datetime
    until: datetime | None
    what: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A recipient as a report may name them: by number and masked address."""

    contact_id: int
    address: str
    state: DeliveryState
    reason: str
    at: datetime
    canary: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All that is known about one mailing. Times are UTC; `zone` is the organiser's, in which people read them.

    `progress` has (moment, how many were accepted by then). `answers` are (state, what the mail server said, how many).
    `twice` are those who may have got two copies. `transports` are those by which it was sent. `events` are deliveries
    by the kind of delivery event that was told of them.
    """

    status: MailingStatus
    subject: str
    group: str
    zone: ZoneInfo
    made_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None
    transports: frozenset[str] = frozenset()
    attempted: tuple[datetime, datetime] | None = None
    progress: tuple[tuple[datetime, int], ...] = ()
    stops: tuple[Stop, ...] = ()
    exclusions: Mapping[ExclusionReason, int]
    answers: tuple[tuple[DeliveryState, str, int], ...] = ()
    countries: Grouped
    domains: Grouped
    events: Mapping[str, int]
    later: tuple[LaterRules, ...] = ()
    uncertain: tuple[Person, ...] = ()
    twice: tuple[Person, ...] = ()
    canaries: tuple[Person, ...] = ()
    journal: tuple[JournalEntry, ...] = ()

    @property
    def ref(self) -> MailingRef:
        """The mailing's name."""
        return self.status.ref

    @property
    def in_outbox(self) -> bool:
        """Whether all that was sent went into the outbox, and so nothing left this machine."""
        return self.transports == {"outbox"}

    def as_json(self) -> dict[str, Any]:
        """For programs: the status, and beside its keys what a report adds."""
        return {
            **self.status.as_json(),
            "subject": self.subject,
            "approved_by": self.approved_by,
            "approved_at": _iso(self.approved_at),
            "transports": sorted(self.transports),
            "first_attempt": _iso(self.attempted and self.attempted[0]),
            "last_attempt": _iso(self.attempted and self.attempted[1]),
            "progress": [{"at": moment.isoformat(), "accepted": number} for moment, number in self.progress],
            "stops": [asdict(stop) | {"since": _iso(stop.since), "until": _iso(stop.until)} for stop in self.stops],
            "excluded": {reason.value: number for reason, number in self.exclusions.items()},
            "answers": [{"state": state, "answer": text, "number": number} for state, text, number in self.answers],
            "countries": self.countries.as_json("country"),
            "domains": self.domains.as_json("domain"),
            "events": dict(self.events),
            "opt_outs_after": [asdict(rules) for rules in self.later],
            "uncertain": [
                {"contact_id": person.contact_id, "address": person.address, "at": person.at.isoformat()}
                for person in self.uncertain
            ],
            "perhaps_twice": [{"contact_id": person.contact_id, "address": person.address} for person in self.twice],
            "canaries": [
                {"contact_id": person.contact_id, "address": person.address, "place": person.canary}
                | {"state": person.state, "at": person.at.isoformat()}
                for person in self.canaries
            ],
            "journal": [
                {"at": entry.at.isoformat(), "act": entry.act, "actor": entry.actor, "reason": entry.reason}
                for entry in self.journal
            ],
        }


def report_on(app: App, ref: MailingRef) -> Report:
    """Everything about a mailing; raises CampaignError where neither the files nor the ledger know it."""
    status, zone = status_of(app, ref), zone_named(app.project.group.timezone)
    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
        found = _counted(connection, row) if row else _nothing(app, ref)
    return Report(status=status, group=app.project.group.name, zone=zone, made_at=app.clock.now(), **found)


def _nothing(app: App, ref: MailingRef) -> dict[str, Any]:
    subject = read_campaign(app.project, ref.campaign).mailing(ref.mailing).original.subject
    return {"subject": subject, "exclusions": {}, "countries": Grouped(), "domains": Grouped(), "events": {}}


def _counted(connection: Connection, row: MailingRow) -> dict[str, Any]:
    attempted = attempted_between(connection, row)
    doubtful = uncertain_deliveries(connection, row)
    entries = [_masked(entry) for entry in journal_of(connection, row)]
    countries = grouped(shares_by_country(connection, row), name=country_name, unknown="no country known")
    return {
        "subject": _subject(connection, row),
        "approved_by": addresses.mask_text(row.approved_by),
        "approved_at": row.approved_at,
        "transports": transports_of(connection, row),
        "attempted": attempted,
        "progress": tuple(_cumulative(accepted_at(connection, row, attempted))) if attempted else (),
        "stops": tuple(stops(entries)),
        "exclusions": count_exclusions(connection, row),
        "answers": tuple(
            (state, addresses.mask_text(text), number)
            for state, text, number in count_answers(connection, row, most=_ANSWERS)
        ),
        "countries": countries,
        "domains": grouped(shares_by_domain(connection, row), unknown="forgotten since"),
        "events": count_events(connection, row),
        "later": tuple(later_rules(connection, row, since=attempted[0], until=attempted[1] + AFTERMATH))
        if attempted
        else (),
        "uncertain": tuple(_person(each) for each in doubtful[:NAMED]),
        "twice": tuple(_person(each) for each in deliveries_perhaps_twice(connection, row)),
        "canaries": tuple(_person(each) for each in canary_deliveries(connection, row)),
        "journal": tuple(entries),
    }


def _subject(connection: Connection, row: MailingRow) -> str:
    """The subject as it was compiled, where nobody's own name stands in it; else as it was written."""
    for compiled in compiled_variants(connection, row.mailing_id).values():
        message = CompiledMessage.from_json(compiled)
        if not any(token in message.subject for token in message.tokens):
            return message.subject
        break
    return approved_source(row).subject


def _cumulative(counts: Iterable[tuple[datetime, int]]) -> Iterator[tuple[datetime, int]]:
    found = list(counts)
    return zip((moment for moment, _ in found), accumulate(number for _, number in found), strict=True)


def stops(entries: Sequence[JournalEntry]) -> Iterator[Stop]:
    """The times in which a mailing stood still, from its journal in order."""
    since: JournalEntry | None = None
    for entry in entries:
        if entry.act in _STOPS and since is None:
            since = entry
        elif since is not None and (entry.act in _GOES_ON or entry.act in _STOPS):
            yield _stop(since, entry.at)
            since = entry if entry.act in _STOPS else None
    if since is not None:
        yield _stop(since, None)


def _stop(entry: JournalEntry, until: datetime | None) -> Stop:
    by = f"by {entry.actor}" if entry.actor else ""
    return Stop(since=entry.at, until=until, what=_STOPS[entry.act], why=": ".join(filter(None, (by, entry.reason))))


def _masked(entry: JournalEntry) -> JournalEntry:
    # People write addresses into reasons; the reason of an approval is its digest.
    reason = f"approval {entry.reason[:12]}" if entry.act == "approve" else addresses.mask_text(entry.reason)
    return JournalEntry(
        act=entry.act,
        reason=reason,
        actor=addresses.mask_text(entry.actor),
        at=entry.at,
        delivery_id=entry.delivery_id,
    )


def _person(row: DeliveryRow) -> Person:
    return Person(
        contact_id=row.contact_id,
        address=addresses.mask(row.address),
        state=row.state,
        reason=addresses.mask_text(row.reason),
        at=row.at,
        canary=row.canary,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
