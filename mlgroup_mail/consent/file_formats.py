"""What the rows of an opt-out file say: our own columns, and the exports of other software.

Mailchimp exports an audience as one file for each standing (subscribed, unsubscribed, cleaned); its columns tell which,
also where some of them were deleted. Listmonk exports everybody in one, with a status. Both are full lists of people:
only who is out of them is taken. So it is with a file of our own that has a column such as "Unsubscribed".
Docs: docs/privacy.md, "Opt-outs of other software".
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.model import SignalKind

Row = Mapping[str, str]
"""A row's cells by the header's names, in lower case, with blanks for hyphens and underscores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a row asks for; topic and time are as they stand there, "" where there are none."""

    kind: SignalKind = SignalKind.OPT_OUT
    topic: str = ""
    at: str = ""
    reason: str = ""


class UnclearRowError(ValueError):
    """A row from which nobody can tell whether the person is out; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFormat:
    """A kind of file: its name for people, and how its rows are read; None is said by whoever wants mail.

    `nobody_out` is the mend where every row says None.
    """

    name: str
    read: Callable[[Row], Said | None]
    nobody_out: str = ""


def format_of(header: Collection[str], *, where: str) -> FileFormat:
    """The format of a file with these columns; raises ContactSourceError where it is a list of people who want mail."""
    columns = set(header)
    if columns >= _OF_LISTMONK:
        return LISTMONK
    if columns & _LEFT_MAILCHIMP:
        return MAILCHIMP
    if _ADDRESS_OF_MAILCHIMP in columns and columns & _OF_MAILCHIMP:
        raise ContactSourceError(
            "this is Mailchimp's export of people who have not left: it has neither UNSUB_TIME nor CLEAN_TIME",
            where=where,
            mend="Nobody was opted out. Import the files of the same export whose names begin with “unsubscribed” and "
            "“cleaned”. If everybody in this one wants no more mail, keep the column of addresses alone.",
        )
    return OWN


def _own(row: Row) -> Said:
    return Said(topic=row.get("topic", ""), at=row.get("at", ""), reason=row.get("reason", ""))


OWN = FileFormat(
    name="",
    read=_own,
    nobody_out="If everybody in it wants no more mail, keep the column of addresses alone: such a file opts all of "
    "them out.",
)
"""Whoever is in such a file is out, unless a column says otherwise (`consent.list_columns`)."""

_OF_LISTMONK = frozenset({"uuid", "email", "attributes", "status"})
_OUT_OF_LISTMONK = frozenset({"blocklisted", "disabled"})


def _listmonk(row: Row) -> Said | None:
    status = row["status"].lower()
    if status in _OUT_OF_LISTMONK:
        # When somebody became so is not told: `updated_at` moves with every change.
        return Said(reason=f"{status} in listmonk")
    if status == "enabled":
        return None
    raise UnclearRowError("the status is none of listmonk's: enabled, disabled, blocklisted")


LISTMONK = FileFormat(
    name="listmonk",
    read=_listmonk,
    nobody_out="Those who left a single list stay “enabled” in listmonk's export. Export that list's unsubscribed "
    "ones, and keep only the column “email”: a file of addresses opts all of them out.",
)

_ADDRESS_OF_MAILCHIMP = "email address"
_UNSUBSCRIBED, _CLEANED = "unsub time", "clean time"
_LEFT_MAILCHIMP = frozenset({_UNSUBSCRIBED, _CLEANED})
_OF_MAILCHIMP = frozenset(
    {
        *("leid", "euid", "member rating", "optin time", "optin ip", "confirm time", "confirm ip"),
        *("last changed", "gmtoff", "dstoff", "tags"),
    }
)
"""Columns that Mailchimp writes: whoever prepares a file deletes some of them, and seldom all."""


def _read_mailchimp(row: Row) -> Said:
    if at := row.get(_UNSUBSCRIBED, ""):
        own_words = row.get("unsub reason other", "") or row.get("unsub reason", "")
        campaign = row.get("unsub campaign title", "")
        return Said(at=at, reason=": ".join(filter(None, (campaign, own_words))))
    if at := row.get(_CLEANED, ""):
        return Said(kind=SignalKind.BOUNCE, at=at, reason="cleaned by Mailchimp: mail to it bounced")
    raise UnclearRowError("the row has no time in UNSUB_TIME or CLEAN_TIME: nobody can tell whether they left")


MAILCHIMP = FileFormat(name="Mailchimp", read=_read_mailchimp)
