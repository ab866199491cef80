"""The iCalendar object that goes with an invitation (RFC 5545)."""

from mlgroup_mail.content.frozen import FrozenSource


def calendar_part(source: FrozenSource, *, public: bool = False) -> str:
    """The calendar of the event that the mail invites to; "" where it invites to none."""
    return ""
