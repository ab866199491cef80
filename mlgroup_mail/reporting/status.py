"""Where mailings stand."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlgroup_mail.content.campaigns.campaign import campaign_ids, read_campaign
from mlgroup_mail.delivery import approving
from mlgroup_mail.errors import MailError, UsageError
from mlgroup_mail.model import DeliveryState, MailingRef, MailingState
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.mailings import MailingRow, all_mailings, delivery_counts, find_mailing

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
        if self.state is MailingState.CANCELLED:
            return False
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
    if row.state not in _OVER and (changes := _changes(app, row)):
        told = "; ".join(changes)
        if row.state is MailingState.APPROVED:
            state, remarks = MailingState.DRAFT, [f"changed since its approval: {told}"]
        else:
            remarks.append(f"what was approved goes out, whatever has changed since: {told}")
    return MailingStatus(
        ref=ref,
        state=state,
        counts=counts,
        send_at=row.send_at,
        stop_at=row.stop_at,
        due=row.send_at <= now < row.stop_at and state in _MOVING,
        remarks=tuple(remarks),
    )


_OVER = frozenset({MailingState.FINISHED, MailingState.CANCELLED})
_MOVING = frozenset({MailingState.APPROVED, MailingState.PLANNING, MailingState.PLANNED, MailingState.SENDING})


def all_statuses(app: App) -> list[MailingStatus]:
    """Every mailing of ledger and campaigns, in order of time; a campaign that cannot be read is left out."""
    with app.store.reading() as connection:
        refs = {mailing.ref for mailing in all_mailings(connection)}
    for campaign_id in campaign_ids(app.project):
        with suppress(MailError):
            campaign = read_campaign(app.project, campaign_id)
            refs |= {MailingRef(campaign_id, spec.name) for spec in campaign.mailings}
    found = [status_of(app, ref) for ref in refs]
    return sorted(found, key=lambda status: (status.send_at, status.ref))


def unreadable_campaigns(app: App) -> list[str]:
    """The campaigns that `all_statuses` has to leave out."""
    found = []
    for campaign_id in campaign_ids(app.project):
        try:
            read_campaign(app.project, campaign_id)
        except MailError:
            found.append(campaign_id)
    return found


def _changes(app: App, row: MailingRow) -> list[str]:
    try:
        return approving.changes_since_approval(app.files, app.store, row)
    except MailError as error:
        return [error.problem.message]
    except UsageError:
        return ["it is no longer in the campaign's files"]


def _remarks(row: MailingRow, counts: dict[DeliveryState, int], now: datetime) -> Iterator[str]:
    if row.state_reason:
        yield row.state_reason
    if row.state_at(now) is MailingState.EXPIRED:
        yield f"its stop_at has passed; `send {row.ref} --live --late REASON` gives it 48 hours more"
    if row.state in {MailingState.PAUSED, MailingState.HELD}:
        yield f"`resume {row.ref}` lets it go on"
    if number := counts[DeliveryState.UNCERTAIN]:
        yield f"{number} may or may not have been accepted: see `log`, then `resolve {row.ref}`"
    if number := counts[DeliveryState.REFUSED]:
        yield f"{number} refused for good: `log {row.ref}` says why"
    if number := counts[DeliveryState.DEFERRED]:
        yield f"{number} were deferred and are tried again by a later dispatch"
    if row.state is MailingState.PLANNED and row.send_at > now:
        yield f"goes out from {row.send_at:%Y-%m-%d %H:%M} UTC"
