"""What a live send would do."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.content.compiling.translations import translation_for
from mlgroup_mail.delivery import planning
from mlgroup_mail.delivery.allow_list import require_allowed
from mlgroup_mail.delivery.answers import states_of
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import DeliveryState, ExclusionReason, MailingRef, MailingState
from mlgroup_mail.reporting.durations import expected
from mlgroup_mail.reporting.status import Approval, status_of
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.deliveries import deliveries, to_go
from mlgroup_mail.store.mailings import find_mailing

_SENDABLE = frozenset({MailingState.APPROVED, MailingState.PLANNING, MailingState.PLANNED, MailingState.SENDING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What a live send would do. `languages` is how many would read which text, where nothing is planned yet.

    `changed` is what differs in the files from what was approved, in words, `hindrance` what refuses all live mail.
    """

    ref: MailingRef
    state: MailingState
    recipients: int
    exclusions: dict[ExclusionReason, int]
    accepted: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    expected_seconds: int = 0
    remarks: tuple[str, ...] = ()
    hindrance: str = ""

    @property
    def ready(self) -> bool:
        """Whether `send --live` would send it as it is."""
        return not self.hindrance and self.state in _SENDABLE

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "mailing": str(self.ref),
            "state": self.state,
            "live": False,
            "would_send": self.recipients,
            "accepted": self.accepted,
            "languages": self.languages,
            "excluded": {reason.value: number for reason, number in self.exclusions.items()},
            "changed": list(self.changed),
            "expected_seconds": self.expected_seconds,
            "remarks": list(self.remarks),
        }

    def lines(self) -> list[tuple[str, int]]:
        """For a table."""
        return [
            ("would be sent to", self.recipients),
            *((f"in the language {tag}", number) for tag, number in self.languages.items() if len(self.languages) > 1),
            ("have it already", self.accepted),
            *((f"left out: {reason.meaning}", number) for reason, number in self.exclusions.items()),
        ]


def forecast(app: App, ref: MailingRef) -> Forecast:
    """What `send --live` would do now; writes nothing. Raises CampaignError where the campaign cannot be read."""
    status = status_of(app, ref)
    remarks, hindrance = list(status.remarks), app.why_not_live() or _not_allowed(app, ref)
    if hindrance:
        remarks.append(f"not ready: {hindrance}")
    now = app.clock.now()
    if status.approval is Approval.NONE:
        remarks.append(f"not approved yet: mlgroup-mail approve {ref} --by YOUR-NAME")
    if now < status.send_at and status.state is not MailingState.PLANNED:
        remarks.append(f"not due before {status.send_at:%Y-%m-%d %H:%M} UTC")
    if now >= status.stop_at and status.state is not MailingState.EXPIRED:
        remarks.append("its stop_at has passed: add --late REASON to send it all the same")
    if status.state is MailingState.CANCELLED:
        return Forecast(ref=ref, state=status.state, recipients=0, exclusions={}, remarks=("it is cancelled",))
    languages: dict[str, int] = {}
    seconds = status.expected_seconds
    if status.audience:
        recipients, exclusions = _planned(app, ref)
    else:
        languages, exclusions, domains, not_among_them = _unplanned(app, ref)
        duration = expected(app, domains, send_at=status.send_at, stop_at=status.stop_at)
        seconds = duration.seconds
        remarks += [*not_among_them, *duration.remarks]
        recipients = sum(languages.values())
    return Forecast(
        ref=ref,
        state=status.state,
        recipients=recipients,
        languages=languages,
        exclusions=exclusions,
        accepted=status.counts[DeliveryState.ACCEPTED],
        changed=status.changed,
        expected_seconds=seconds,
        remarks=tuple(dict.fromkeys(remarks)),
        hindrance=hindrance,
    )


def _not_allowed(app: App, ref: MailingRef) -> str:
    """Why the allow-list of now ends the sending of what is planned; empty where it does not."""
    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
        planned = to_go(connection, row.mailing_id).domains if row else {}
    try:
        require_allowed(planned, app.allowed_domains)
    except ConfigurationError as error:
        return f"{error.problem.message}. {error.problem.mend}"
    return ""


def _planned(app: App, ref: MailingRef) -> tuple[int, dict[ExclusionReason, int]]:
    """What the ledger holds, with the opt-outs as the claims would find them now."""
    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
        assert row is not None, "it has an audience"
        lines = list(deliveries(connection, row))
        waiting = {line.contact_id: line.address for line in lines if line.state.claimable}
        stopped = restrictions(connection, waiting, row.topic)
    reasons = Counter(ExclusionReason(line.reason) for line in lines if line.state is DeliveryState.EXCLUDED)
    reasons.update(stopped.values())
    return len(waiting) - len(stopped), _in_order(reasons)


def _unplanned(app: App, ref: MailingRef) -> tuple[dict[str, int], dict[ExclusionReason, int], Counter[str], list[str]]:
    """How many would read each text, by its language; how many are left out; how many there are at each domain; whom a
    correction misses, in words.
    """
    source = app.frozen(ref)
    segment = app.segment(source.audience, where=str(ref))
    readers, domains, reasons = Counter[str](), Counter[str](), Counter[ExclusionReason]()
    with app.store.reading() as connection:
        for audience in planning.audiences_now(
            connection,
            segment=segment,
            source=source,
            allowed_domains=app.allowed_domains,
        ):
            readers.update(translation_for(source, person.language) for person in audience.recipients)
            domains.update(addresses.domain(person.address) for person in audience.recipients)
            reasons.update(excluded.reason for excluded in audience.exclusions)
        asked = states_of(connection, segment)
    by_language = {source.text_in(tag).language: readers[tag] for tag in ("", *source.translations)}
    missed = [missed for other, states in asked.items() for missed in _missed(other, states)]
    return by_language, _in_order(reasons), domains, missed


def _missed(other: MailingRef, states: Mapping[DeliveryState, int]) -> Iterator[str]:
    """Whoever may have another mailing, and does not count as one who has it: neither hidden nor written to."""
    if number := states[DeliveryState.UNCERTAIN]:
        yield f"{number} in doubt about {other} are not among them: settle them first with `resolve {other}`"
    if number := sum(number for state, number in states.items() if state.open):
        yield f"{number} may still get {other} and are not among them: let it finish first, or cancel it"


def _in_order(reasons: Counter[ExclusionReason]) -> dict[ExclusionReason, int]:
    return {reason: reasons[reason] for reason in ExclusionReason if reason in reasons}
