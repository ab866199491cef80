"""Soft bounces: one says nothing, several in a row say that nobody is reached there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.store import Connection
from mlgroup_mail.store.soft_bounces import MailboxEvent, mailbox_events, stopped_mailboxes
from mlgroup_mail.store.transactions import chunked

_ONE_TROUBLE = timedelta(hours=1)
"""Bounces closer than this are one: two mails met the same full mailbox, or two roads tell of one bounce."""
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftBounceRule:
    """So many soft bounces, with no mail taken between them, `within` that time suppress an address."""

    times: int = 3
    within: timedelta = timedelta(days=120)


USUAL_RULE = SoftBounceRule()


def suppress_for_soft_bounces(
    connection: Connection,
    mailboxes: Collection[str],
    *,
    rule: SoftBounceRule,
    road: Road,
    now: datetime,
) -> int:
    """Suppress those of these mailboxes that gave mail back too often; returns how many. Inside `deciding`.

    The evidence names each bounce. A mailbox on which a bounce stands already is left as it is.
    """
    return sum(
        apply_within(connection, _signals(connection, some, rule, road), now=now)
        for some in chunked(sorted(set(mailboxes)), _AT_ONCE)
    )


def _signals(connection: Connection, mailboxes: list[str], rule: SoftBounceRule, road: Road) -> list[Signal]:
    stopped = stopped_mailboxes(connection, mailboxes, SignalKind.BOUNCE)
    known = mailbox_events(connection, set(mailboxes) - stopped)
    runs = {mailbox: soft_run(events, rule) for mailbox, events in known.items()}
    return [
        Signal(
            kind=SignalKind.BOUNCE,
            topic=ALL_TOPICS,
            road=road,
            at=run[-1].at,
            address=mailbox,
            reason=f"{len(run)} soft bounces within {rule.within.days} days, and no mail taken between them",
            evidence="; ".join(each.told for each in run),
        )
        for mailbox, run in sorted(runs.items())
        if run
    ]


def soft_run(events: Iterable[MailboxEvent], rule: SoftBounceRule) -> tuple[MailboxEvent, ...]:
    """The first soft bounces that are as many as the rule asks, near enough, with nothing taken between; () for none.

    Whatever the order in which events are told, it is the one in which they happened that counts.
    """
    run: list[MailboxEvent] = []
    # At the same moment, that mail was taken weighs more: nobody is suppressed in doubt.
    for event in sorted(events, key=lambda event: (event.at, event.soft, event.told)):
        if not event.soft:
            run = []
        elif not run or event.at - run[-1].at >= _ONE_TROUBLE:
            run = [each for each in run if event.at - each.at <= rule.within] + [event]
            if len(run) == rule.times:
                return tuple(run)
    return ()
