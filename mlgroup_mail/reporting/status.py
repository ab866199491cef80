"""Where mailings stand."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.content.campaigns.campaign import MailingSpec, campaign_ids
from mlgroup_mail.delivery import roads
from mlgroup_mail.delivery.approving import Comparison
from mlgroup_mail.errors import MailError, UsageError
from mlgroup_mail.model import DeliveryState, ExclusionReason, MailingRef, MailingState
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.reporting.courtesies import Missing, missing_courtesies
from mlgroup_mail.reporting.durations import Duration, duration_of
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.aftermath import bad_news
from mlgroup_mail.store.bursts import flagged_of
from mlgroup_mail.store.deliveries import DeliveryRow, canary_deliveries, oldest_due
from mlgroup_mail.store.mailings import MailingRow, all_mailings, delivery_counts, find_mailing, mailings_not_over
from mlgroup_mail.store.outcome_counts import count_exclusions
from mlgroup_mail.store.second_copies import perhaps_twice_in

_NOTHING = dict.fromkeys(DeliveryState, 0)


class Approval(StrEnum):
    """Whether a mailing has the approval that it needs to go out."""

    NONE = "none"
    """Nobody has approved it yet."""
    VOID = "void"
    """It was approved, and has changed before it was planned: it does not go out until it is approved again."""
    VALID = "valid"
    """What was approved goes out, or has gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingStatus:
    """One mailing's state and counts; `due` tells whether a dispatch now would do something about it.

    `waiting`: somebody's message may go by now, and has not.
    `changed` is what differs in the files from what was approved, in words; nobody asks once it is over.
    `expected_seconds` is how long the rest of a planned mailing takes by the limits that hold.
    `later` is filled by `with_bad_news` alone: what became of accepted messages -> how many.
    """

    ref: MailingRef
    state: MailingState
    counts: dict[DeliveryState, int]
    send_at: datetime
    stop_at: datetime
    approval: Approval = Approval.NONE
    changed: tuple[str, ...] = ()
    due: bool = False
    waiting: bool = False
    expected_seconds: int = 0
    remarks: tuple[str, ...] = ()
    later: Mapping[str, int] = field(default_factory=dict)

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
            # What was to go goes no more; but doubt about what had gone is still somebody's to settle.
            return bool(self.counts[DeliveryState.UNCERTAIN])
        return self.waiting or self.state in stopped or any(self.counts[state] for state in undone)

    def as_json(self) -> dict[str, Any]:
        """As section 5 of the design has it."""
        return {
            "mailing": str(self.ref),
            "state": self.state,
            "audience": self.audience,
            "counts": {state.value: number for state, number in self.counts.items()},
            "send_at": self.send_at.isoformat(),
            "stop_at": self.stop_at.isoformat(),
            "approval": self.approval,
            "changed": list(self.changed),
            "expected_seconds": self.expected_seconds,
            "remarks": list(self.remarks),
            "later": dict(self.later),
        }

    @property
    def state_in_words(self) -> str:
        """For a table: the state, and that an approval does not hold any more."""
        return f"{self.state} (approval void)" if self.approval is Approval.VOID else str(self.state)


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Every mailing of ledger and campaigns in order of time, and the ids of the campaigns that cannot be read.

    `missing` are mails outside mailings that have not gone; where one campaign is asked about, none.
    """

    statuses: tuple[MailingStatus, ...]
    unreadable: tuple[str, ...]
    missing: tuple[Missing, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "mailings": [each.as_json() for each in self.statuses],
            "unreadable": list(self.unreadable),
            "missing_courtesies": [each.as_json() for each in self.missing],
        }


def status_of(app: App, ref: MailingRef) -> MailingStatus:
    """Where a mailing stands; raises CampaignError where neither the files nor the ledger know it."""
    comparison = Comparison(app.files, app.store)
    with app.store.reading() as connection:
        row = find_mailing(connection, ref)
    if row is None:
        return _draft(ref, comparison.campaign(ref.campaign).mailing(ref.mailing))
    return _status(app, row, comparison)


def with_bad_news(app: App, status: MailingStatus) -> MailingStatus:
    """The same with what was heard later of accepted messages that did not arrive, or were not wanted.

    Apart from the rest, because it goes through all that was heard of a mailing.
    """
    with app.store.reading() as connection:
        row = find_mailing(connection, status.ref)
        heard = Counter(kind for kind, _ in bad_news(connection, row).values()) if row else Counter()
    if not heard:
        return status
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(heard.items()))
    remark = f"of those accepted, heard of later: {told} (`log {status.ref}` says who)"
    return replace(status, remarks=(*status.remarks, remark), later={kind.value: heard[kind] for kind in sorted(heard)})


def overview(app: App, campaign: str | None = None) -> Overview:
    """Where all mailings stand, or those of one campaign.

    Every campaign is read once, and one that cannot be read hides no other. Raises UsageError where neither the files
    nor the ledger know the campaign.
    """
    comparison = Comparison(app.files, app.store)
    with app.store.reading() as connection:
        rows = {each.ref: each for each in all_mailings(connection) if campaign in (None, each.ref.campaign)}
        missing = () if campaign else missing_courtesies(connection, now=app.clock.now())
    ids = [each for each in campaign_ids(app.project) if campaign in (None, each)]
    if campaign and not rows and not ids:
        comparison.campaign(campaign)
    found = [_status(app, row, comparison) for row in rows.values()]
    unreadable = []
    for campaign_id in ids:
        try:
            specs = {MailingRef(campaign_id, spec.name): spec for spec in comparison.campaign(campaign_id).mailings}
        except MailError:
            unreadable.append(campaign_id)
        else:
            found += [_draft(ref, spec) for ref, spec in specs.items() if ref not in rows]
    found.sort(key=lambda status: (status.send_at, status.ref))
    return Overview(statuses=tuple(found), unreadable=tuple(unreadable), missing=missing)


def all_statuses(app: App) -> tuple[MailingStatus, ...]:
    """Every mailing of ledger and campaigns, in order of time; a campaign that cannot be read is left out."""
    return overview(app).statuses


def statuses_in_hand(app: App) -> list[MailingStatus]:
    """Where those mailings stand that a dispatch now may do something about, or that leave a person something to do.

    So neither those that are over nor those that wait for their time, which nobody has begun: what a tick costs does
    not grow with them.
    """
    now, comparison = app.clock.now(), Comparison(app.files, app.store)
    with app.store.reading() as connection:
        rows = mailings_not_over(connection)
    return [_status(app, row, comparison) for row in rows if row.send_at <= now or row.state not in _NOT_BEGUN]


def statuses_after(app: App, refs: Iterable[MailingRef], before: Iterable[MailingStatus]) -> list[MailingStatus]:
    """Where mailings stand after something was sent of them; what had changed in the files `before` is told."""
    changed = {status.ref: status.changed for status in before}
    return [_with_changes(status_of(app, ref), changed.get(ref, ())) for ref in refs]


def gone_since(app: App, before: Iterable[MailingStatus]) -> list[MailingStatus]:
    """The mailings of which anything went, or may have, since `before`, as they stand now: no error undoes that."""
    pairs = [(each, status_of(app, each.ref)) for each in before]
    return [now for former, now in pairs if _gone(now) != _gone(former)]


def _gone(status: MailingStatus) -> list[int]:
    has_or_may_have = (DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN, DeliveryState.ATTEMPTING)
    return [status.counts[state] for state in has_or_may_have]


def _with_changes(after: MailingStatus, changed: tuple[str, ...]) -> MailingStatus:
    if after.changed or not changed:
        return after
    remark = f"what went out is what was approved, whatever has changed since: {'; '.join(changed)}"
    return replace(after, changed=changed, remarks=(*after.remarks, remark))


def _draft(ref: MailingRef, spec: MailingSpec) -> MailingStatus:
    return MailingStatus(
        ref=ref, state=MailingState.DRAFT, counts=dict(_NOTHING), send_at=spec.send_at, stop_at=spec.stop_at
    )


def _status(app: App, row: MailingRow, comparison: Comparison) -> MailingStatus:
    now = app.clock.now()
    with app.store.reading() as connection:
        counts = delivery_counts(connection, row.mailing_id)
        riding = canary_deliveries(connection, row)
        deaf = [] if row.state in _OVER else roads.deaf(connection, now=now)
        flagged = flagged_of(connection, row.mailing_id)
        first = oldest_due(connection, row.mailing_id) if row.state in DISPATCHABLE else None
        twice = perhaps_twice_in(connection, row.mailing_id)
    changed = () if row.state in _OVER else tuple(_changes(comparison, row))
    void = bool(changed) and row.state is MailingState.APPROVED
    state = MailingState.DRAFT if void else row.state_at(now)
    duration = duration_of(app, row) if row.state in DISPATCHABLE else Duration()
    return MailingStatus(
        ref=row.ref,
        state=state,
        counts=counts,
        send_at=row.send_at,
        stop_at=row.stop_at,
        approval=Approval.VOID if void else Approval.VALID,
        changed=changed,
        due=row.send_at <= now < row.stop_at and state in _MOVING,
        waiting=first is not None and first <= now < row.stop_at,
        expected_seconds=duration.seconds,
        remarks=(
            *((_why_void(row, changed),) if void else (*_remarks(row, counts, now), *_in_spite_of(changed))),
            *duration.remarks,
            *_twice(row, len(twice)),
            *_canaries(riding),
            *_bursts(flagged),
            *_unreached_holders(app, row),
            *(f"nothing of it is sent while {roads.told(road)}" for road in deaf),
        ),
    )


_OVER = frozenset({MailingState.FINISHED, MailingState.CANCELLED})
_NOT_BEGUN = frozenset({MailingState.APPROVED, MailingState.PLANNING, MailingState.PLANNED})
_MOVING = frozenset({MailingState.APPROVED, MailingState.PLANNING, MailingState.PLANNED, MailingState.SENDING})


def _changes(comparison: Comparison, row: MailingRow) -> list[str]:
    try:
        return comparison.changes(row)
    except MailError as error:
        return [error.problem.message]
    except UsageError:
        return ["it is no longer in the campaign's files"]


def _why_void(row: MailingRow, changed: tuple[str, ...]) -> str:
    again = f"Look at it again, then: mlgroup-mail approve {row.ref} --by YOUR-NAME"
    return f"its approval is void, it has changed since its approval: {'; '.join(changed)}. {again}"


def _canaries(riding: Sequence[DeliveryRow]) -> Iterator[str]:
    if riding:
        told = ", ".join(f"{addresses.mask(row.address)} ({row.canary}, {row.state})" for row in riding)
        yield f"canaries that ride along: {told}"


def _twice(row: MailingRow, number: int) -> Iterator[str]:
    if number:
        yield (
            f"{number} may have got it twice: a second copy was ordered, and both may have arrived; "
            f"`report {row.ref}` names them"
        )


def _unreached_holders(app: App, row: MailingRow) -> Iterator[str]:
    """A statutory topic's readers hold an office: those who are left out are to be told in another way."""
    if row.topic not in app.project.statutory_topics:
        return
    with app.store.reading() as connection:
        left_out = count_exclusions(connection, row)
    if number := sum(left_out.get(reason, 0) for reason in _BY_THEIR_WISH):
        yield (
            f"{number} hold an office and are left out by their own wish: {row.topic} is statutory, so tell them in "
            f"another way (log {row.ref} says who)"
        )


_BY_THEIR_WISH = (ExclusionReason.OPTED_OUT, ExclusionReason.OPTED_OUT_TOPIC, ExclusionReason.COMPLAINED)


def _bursts(flagged: Mapping[str, int]) -> Iterator[str]:
    for domain, number in flagged.items():
        yield (
            f"{number} opt-outs came within minutes of its arrival at {domain}: perhaps a mail gateway that presses "
            "links. They hold; each reader was asked by mail, and may take theirs back"
        )


def _in_spite_of(changed: tuple[str, ...]) -> Iterator[str]:
    if changed:
        yield f"what was approved goes out, whatever has changed since: {'; '.join(changed)}"


def _remarks(row: MailingRow, counts: dict[DeliveryState, int], now: datetime) -> Iterator[str]:
    if row.state_reason:
        yield row.state_reason
    if row.state_at(now) is MailingState.EXPIRED:
        yield f"its stop_at has passed; `send {row.ref} --live --late REASON` gives it 48 hours more"
    if row.state is MailingState.PLANNING:
        yield _how_to_plan_on(row, counts)
    if row.state in {MailingState.PAUSED, MailingState.HELD}:
        yield f"`resume {row.ref}` lets it go on"
    if number := counts[DeliveryState.UNCERTAIN]:
        yield f"{number} may or may not have been accepted: see `log`, then `resolve {row.ref}`"
    if number := counts[DeliveryState.REFUSED]:
        yield f"{number} refused for good: `log {row.ref}` says why"
    if number := counts[DeliveryState.DEFERRED]:
        then = " and are tried again by a later dispatch" if row.state in DISPATCHABLE else ": surely not accepted"
        yield f"{number} were deferred{then}"
    if row.state is MailingState.PLANNED and row.send_at > now:
        yield f"goes out from {row.send_at:%Y-%m-%d %H:%M} UTC"


def _how_to_plan_on(row: MailingRow, counts: dict[DeliveryState, int]) -> str:
    how = f"its planning was begun: `plan {row.ref}` goes on"
    begun = any(number for state, number in counts.items() if state is not DeliveryState.EXCLUDED)
    return how if begun else f"{how}; nobody is planned yet, so `approve {row.ref}` can still take a mended text"
