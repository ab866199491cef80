"""Mail outside mailings that did not go as it should: whom the team has to look after."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlgroup_mail.model import CourtesyKind
from mlgroup_mail.store import Connection, bursts, join_requests
from mlgroup_mail.store.courtesies import unaccepted

_LOOKED_BACK = timedelta(days=7)
_ANSWERED_WITHIN = timedelta(minutes=10)
"""What was begun so lately may still be under way."""

_WHAT = {
    CourtesyKind.CONFIRMATION: "the question whether they want to join",
    CourtesyKind.WELCOME: "the welcome",
    CourtesyKind.UNDO: "the question whether it was they who opted out",
}
_OUTCOMES = {"refused": "it was refused", "uncertain": "it may or may not have gone", "": "it may or may not have gone"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """So many people have not got a mail of a kind, or perhaps not."""

    kind: CourtesyKind
    people: int
    why: str

    def __str__(self) -> str:
        who = "1 person has" if self.people == 1 else f"{self.people} people have"
        return f"{who} not got {_WHAT[self.kind]}: {self.why}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"kind": self.kind, "people": self.people, "why": self.why}


def missing_courtesies(connection: Connection, *, now: datetime) -> tuple[Missing, ...]:
    """What has not gone within the last week, by kind and reason."""
    return tuple(_missing(connection, now))


def _missing(connection: Connection, now: datetime) -> Iterator[Missing]:
    since = now - _LOOKED_BACK
    found = join_requests.kept_back(connection) | {CourtesyKind.UNDO: bursts.kept_back(connection, since=since)}
    for kind, reasons in found.items():
        for reason, number in sorted(reasons.items()):
            yield Missing(kind=kind, people=number, why=reason.meaning)
    for each in unaccepted(connection, since=since, before=now - _ANSWERED_WITHIN):
        yield Missing(kind=CourtesyKind(each.kind), people=each.number, why=_OUTCOMES[each.outcome])
