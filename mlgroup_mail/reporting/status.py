"""Where mailings stand, and what a send would do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlgroup_mail.content.campaign import campaign_ids, read_campaign
from mlgroup_mail.delivery import approving, planning
from mlgroup_mail.errors import MailError
from mlgroup_mail.model import DeliveryState, ExclusionReason, MailingRef, MailingState
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.contacts import all_contacts
from mlgroup_mail.store.mailings import MailingRow, delivery_counts, find_mailing

_NOTHING = dict.fromkeys(DeliveryState, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingStatus:
    """One mailing's state and counts; `due` tells whether a dispatch now would do something about it."""

    ref: MailingRef
    state: MailingState
    counts: dict[DeliveryState, int]
    send_at: datetime
    stop_at: datetime
    due: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def audience(self) -> int:
        """Everybody in it, the excluded too."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """How many may still go."""
        return sum(number for state, number in self.counts.items() if state.claimable)

    @property
    def left_undone(self) -> bool:
        """Whether a command that was to send it has left something: for its exit code."""
        undone = {DeliveryState.UNCERTAIN, DeliveryState.DEFERRED, DeliveryState.ATTEMPTING}
        stopped = {MailingState.EXPIRED, MailingState.HELD, MailingState.PAUSED}
        return self.state in stopped or any(self.counts[state] for state in undone)

    def as_json(self) -> dict[str, Any]:
        """As section 5 of the design has it."""
        return {
            "mailing": str(self.ref),
            "state": self.state,
            "audience": self.audience,
            "counts": {state.value: number for state, number in self.counts.items()},
            "send_at": self.send_at.isoformat(),
            "stop_at": self.stop_at.isoformat(),
            "remarks": list(self.remarks),
        }

    def line(self) -> list[object]:
        """As a row of a table."""
        return [self.ref, self.state, self.audience, *self.counts.values()]


def status_of(app: App, ref: MailingRef) -> MailingStatus:
    """Where a mailing stands; raises CampaignError where neither the files nor the ledger know it."""
    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
        counts = delivery_counts(connection, row.mailing_id) if row else dict(_NOTHING)
    if row is None:
        spec = read_campaign(app.project, ref.campaign).mailing(ref.mailing)
        return MailingStatus(
            ref=ref, state=MailingState.DRAFT, counts=counts, send_at=spec.send_at, stop_at=spec.stop_at
        )
    now = app.clock.now()
    state, remarks = row.state_at(now), list(_remarks(row, counts, now))
    if row.state is MailingState.APPROVED and (changes := _changes(app, row)):
        state, remarks = MailingState.DRAFT, [f"changed since its approval: {'; '.join(changes)}"]
    return MailingStatus(
        ref=ref,
        state=state,
        counts=counts,
        send_at=row.send_at,
        stop_at=row.stop_at,
        due=row.send_at <= now < row.stop_at and state in _MOVING,
        remarks=tuple(remarks),
    )


_MOVING = frozenset({MailingState.APPROVED, MailingState.PLANNING, MailingState.PLANNED, MailingState.SENDING})


def all_statuses(app: App) -> list[MailingStatus]:
    """Every mailing of every campaign, in order of time; a campaign that cannot be read is passed over."""
    found = []
    for campaign_id in campaign_ids(app.project):
        try:
            campaign = read_campaign(app.project, campaign_id)
            found += [status_of(app, MailingRef(campaign_id, spec.name)) for spec in campaign.mailings]
        except MailError:
            continue
    return sorted(found, key=lambda status: (status.send_at, status.ref))


def _changes(app: App, row: MailingRow) -> list[str]:
    try:
        return approving.changes_since_approval(app.files, row)
    except MailError as error:
        return [error.problem.message]


def _remarks(row: MailingRow, counts: dict[DeliveryState, int], now: datetime) -> Iterator[str]:
    if row.state_reason:
        yield row.state_reason
    if row.state_at(now) is MailingState.EXPIRED:
        yield f"its stop_at has passed; `send {row.ref} --live --late REASON` gives it 48 hours more"
    if row.state in {MailingState.PAUSED, MailingState.HELD}:
        yield f"`resume {row.ref}` lets it go on"
    if number := counts[DeliveryState.UNCERTAIN]:
        yield f"{number} may or may not have been accepted: see `log`, then `resolve {row.ref}`"
    if number := counts[DeliveryState.DEFERRED]:
        yield f"{number} were deferred and are tried again by a later dispatch"
    if row.state is MailingState.PLANNED and row.send_at > now:
        yield f"goes out from {row.send_at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What a live send would do."""

    ref: MailingRef
    state: MailingState
    recipients: int
    exclusions: dict[ExclusionReason, int]
    accepted: int = 0
    remarks: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "mailing": str(self.ref),
            "state": self.state,
            "live": False,
            "would_send": self.recipients,
            "accepted": self.accepted,
            "excluded": {reason.value: number for reason, number in self.exclusions.items()},
            "remarks": list(self.remarks),
        }

    def lines(self) -> list[tuple[str, int]]:
        """For a table."""
        return [
            ("would be sent to", self.recipients),
            ("have it already", self.accepted),
            *((f"left out: {reason.meaning}", number) for reason, number in self.exclusions.items()),
        ]


def forecast(app: App, ref: MailingRef) -> Forecast:
    """What `send --live` would do now; writes nothing. Raises CampaignError where the campaign cannot be read."""
    status = status_of(app, ref)
    remarks = list(status.remarks)
    now = app.clock.now()
    if status.state is MailingState.DRAFT:
        remarks.append(f"not approved yet: mlgroup-mail approve {ref} --by YOUR-NAME")
    if now < status.send_at:
        remarks.append(f"not due before {status.send_at:%Y-%m-%d %H:%M} UTC")
    if now >= status.stop_at and status.state is not MailingState.EXPIRED:
        remarks.append("its stop_at has passed: add --late REASON to send it all the same")
    recipients, exclusions = _planned(app, ref) if status.audience else _unplanned(app, ref)
    return Forecast(
        ref=ref,
        state=status.state,
        recipients=recipients,
        exclusions=exclusions,
        accepted=status.counts[DeliveryState.ACCEPTED],
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _planned(app: App, ref: MailingRef) -> tuple[int, dict[ExclusionReason, int]]:
    from mlgroup_mail.store.deliveries import deliveries

    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
        assert row is not None, "it has an audience"
        lines = list(deliveries(connection, row))
    reasons = [ExclusionReason(line.reason) for line in lines if line.state is DeliveryState.EXCLUDED]
    return sum(line.state.claimable for line in lines), _counted(reasons)


def _unplanned(app: App, ref: MailingRef) -> tuple[int, dict[ExclusionReason, int]]:
    source = approving.freeze_now(app.files, app.store, ref)
    with app.store.reading() as connection:
        audience = planning.audience_of(
            connection,
            list(all_contacts(connection)),
            segment=app.segment(source.audience, where=str(ref)),
            topic=source.topic,
            topic_default=app.project.topics[source.topic],
            allowed_domains=app.allowed_domains,
        )
    return len(audience.recipients), _counted([excluded.reason for excluded in audience.exclusions])


def _counted(reasons: list[ExclusionReason]) -> dict[ExclusionReason, int]:
    return {reason: reasons.count(reason) for reason in ExclusionReason if reason in reasons}
