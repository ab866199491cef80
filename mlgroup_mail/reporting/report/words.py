"""How a report says things: times in the organiser's zone, states and orders in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mlgroup_mail.content.language.localised_zones import offset_name
from mlgroup_mail.model import DeliveryState, SignalKind

STATES: Mapping[DeliveryState, str] = {
    DeliveryState.ACCEPTED: "accepted by a mail server",
    DeliveryState.REFUSED: "refused for good",
    DeliveryState.UNCERTAIN: "in doubt",
    DeliveryState.DEFERRED: "deferred, to be tried again",
    DeliveryState.ATTEMPTING: "being sent now",
    DeliveryState.PLANNED: "planned, not tried yet",
    DeliveryState.EXCLUDED: "left out, each with a reason",
    DeliveryState.CANCELLED: "cancelled before they went",
}
"""In the order in which people want to know."""

IN_OUTBOX: Mapping[DeliveryState, str] = {**STATES, DeliveryState.ACCEPTED: "written to the outbox"}
"""The same of a mailing that was not sent by a mail server."""

LATER: Mapping[SignalKind, str] = {
    SignalKind.OPT_OUT: "opted out",
    SignalKind.COMPLAINT: "marked it as spam",
    SignalKind.BOUNCE: "mailbox does not exist, suppressed since",
    SignalKind.REVIEW: "wrote what waits for somebody’s decision",
    SignalKind.LIFT: "want mail again",
}

_ACTS = {
    "approve": "approved",
    "pause": "paused",
    "resume": "resumed",
    "hold": "held by itself",
    "cancel": "cancelled",
    "late": "given 48 hours more",
    "resolve_accepted": "settled as accepted",
    "resolve_resend": "ordered to be sent again",
}


def act(name: str) -> str:
    """An order or decision of the journal."""
    return _ACTS.get(name, name.replace("_", " "))


def day_and_time(moment: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """`2 November 2021, 09:00 (UTC+1)`: the offset tells summer from winter, and one zone from another."""
    local = moment.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{local.day} {local:%B %Y}, {clock} ({offset_name(local)})"


def short_time(moment: datetime, zone: ZoneInfo) -> str:
    """`2 Nov 2021, 09:00:12 UTC+1`, for tables."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S} {offset_name(local)}"


def duration(since: datetime, until: datetime) -> str:
    """`4 s`, `12 min`, `3 h 5 min`, `2 days 4 h`: the two units that matter."""
    return length(until - since)


def speed(time: timedelta) -> str:
    """The same of what should be short: `0.4 s` is told from `4 s`."""
    return f"{time.total_seconds():.1f} s" if time < timedelta(seconds=10) else length(time)


def length(time: timedelta) -> str:
    """The same of a length of time."""
    seconds = round(time.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} days {hours % 24} h" if hours % 24 else f"{days} days"
