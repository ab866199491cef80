"""What the list as a file says of each person: the columns, and how each is filled.

Those that hold what a contact source may hold have names that `contacts check` recognises, and the others have none
that it does: read back, the file gives the same people, and those who opted out of all mail as opt-outs.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from mlgroup_mail.model import ALL_TOPICS, Restriction, SignalKind, Suppression
from mlgroup_mail.store.contact_overview import ContactOverview

Cell = str | int | date | None
"""What stands in a cell; None for nothing, dates without a time of day (UTC)."""

_UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
"""What no name has, and XML cannot hold or Excel does not show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportColumn:
    """A column: its header, its width in characters, and what of a person stands in it."""

    header: str
    width: int
    cell: Callable[[ContactOverview], Cell]


def columns(sources: Sequence[str]) -> tuple[ExportColumn, ...]:
    """The columns of people on the list. `sources` are those with ids of their own: of one, ids stand alone."""
    bare = len(sources) == 1

    def own_id(person: ContactOverview) -> str:
        whole = person.contact.external_id
        return whole.removeprefix(f"{sources[0]}:") if bare else whole

    return (
        _column("Number in the ledger", 10, lambda person: person.contact.contact_id),
        _column("Id", 12, own_id),
        _column("Email", 34, lambda person: person.contact.address),
        _column("Name", 26, lambda person: person.contact.name),
        _column("First name", 16, lambda person: person.contact.first_name),
        _column("Organisation", 34, lambda person: person.contact.organisation),
        _column("Country", 18, lambda person: country_name(person.contact.country)),
        _column("Country code", 8, lambda person: person.contact.country),
        _column("Time zone", 20, lambda person: person.contact.timezone),
        _column("Language", 10, lambda person: person.contact.language),
        _column("Status", 12, lambda person: person.contact.status),
        _column("Topics", 24, lambda person: _joined(person.contact.topics)),
        _column("Themes", 24, lambda person: _joined(person.contact.themes)),
        _column("Other addresses", 34, lambda person: _joined(each for each in person.others if _theirs(person, each))),
        _column("Addresses shared with others", 34, lambda person: _joined(person.shared)),
        _column("Source", 14, lambda person: person.contact.source or person.origin),
        _column("Opted out", 12, lambda person: min((rule.at.date() for rule in _of_all_mail(person)), default=None)),
        _column("Opted out by", 24, lambda person: _joined(map(_road, _of_all_mail(person)))),
        _column("Topics opted out of", 40, lambda person: _told(_of_topics(person))),
        _column("Holds", 30, lambda person: _told(_holds(person))),
        _column("Bounces", 30, _bounces),
        _column("Last bounce", 12, lambda person: _day(max(_bounce_times(person), default=None))),
        _column("Moved from", 34, lambda person: _joined(person.moved_from)),
        _column("Moved", 12, lambda person: _day(person.moved_at)),
        _column("Joined", 12, lambda person: _day(person.joined_at)),
        _column("Changed", 12, lambda person: _day(person.changed_at)),
        _column("Last accepted mail", 32, lambda person: str(person.accepted or "")),
        _column("Accepted", 12, lambda person: _day(person.accepted_at)),
    )


LEFT_COLUMNS = (
    ExportColumn(header="No longer on the list since", width=14, cell=lambda person: _day(person.left_at)),
    ExportColumn(header="Went on as number", width=10, cell=lambda person: person.now_contact_id),
)
"""What is added of people who left: when, and as whom they are on the list now where that is known."""


def one_line(text: str) -> str:
    """A text as a cell can hold it: on one line, without what XML and spreadsheets cannot show."""
    if text.isprintable() and "  " not in text and text.strip() == text:
        return text
    return " ".join(_UNWANTED.sub("", text).split())


@lru_cache(maxsize=512)
def country_name(code: str) -> str:
    """The English name of a country, which reads back as its code; the code where there is none."""
    from babel import Locale

    return str(Locale("en").territories.get(code, code))


def _column(header: str, width: int, cell: Callable[[ContactOverview], Cell]) -> ExportColumn:
    return ExportColumn(header=header, width=width, cell=cell)


def _joined(values: Iterable[str]) -> str:
    return "; ".join(values)


def _theirs(person: ContactOverview, address: str) -> bool:
    """Whether an address is nobody else's: another's would make two people one where the file is read back."""
    return address not in person.shared


def _of_all_mail(person: ContactOverview) -> list[Suppression]:
    return [rule for rule in _opt_outs(person) if rule.topic == ALL_TOPICS]


def _of_topics(person: ContactOverview) -> list[Suppression]:
    return [rule for rule in _opt_outs(person) if rule.topic != ALL_TOPICS]


def _opt_outs(person: ContactOverview) -> list[Suppression]:
    wanted = (SignalKind.OPT_OUT, SignalKind.COMPLAINT)
    return [rule for rule in person.rules if rule.restriction is Restriction.SUPPRESSION and rule.kind in wanted]


def _holds(person: ContactOverview) -> list[Suppression]:
    return [rule for rule in person.rules if rule.restriction is Restriction.HOLD]


def _hard_bounces(person: ContactOverview) -> list[Suppression]:
    return [rule for rule in person.rules if rule.kind is SignalKind.BOUNCE]


def _bounces(person: ContactOverview) -> str:
    told = [f"no such mailbox since {_since(rule)}" for rule in _hard_bounces(person)]
    return _joined(told) if told or person.bounced_at is None else f"a message on {_day(person.bounced_at)}"


def _bounce_times(person: ContactOverview) -> list[datetime]:
    return [*(rule.at for rule in _hard_bounces(person)), *([person.bounced_at] if person.bounced_at else [])]


def _told(rules: Sequence[Suppression]) -> str:
    return _joined(f"{rule.on} since {_since(rule)}" for rule in rules)


def _since(rule: Suppression) -> str:
    return f"{rule.at:%Y-%m-%d}, by {_road(rule)}"


def _road(rule: Suppression) -> str:
    return f"{rule.road} (complaint)" if rule.kind is SignalKind.COMPLAINT else rule.road.value


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
