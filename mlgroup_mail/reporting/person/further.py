"""The smaller tables on a person's page: what each is about, and its rows in words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mlgroup_mail.reporting.contact_columns import country_name
from mlgroup_mail.reporting.person.record import PersonReport
from mlgroup_mail.reporting.person.telling import Part, about, when
from mlgroup_mail.store.person_record import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """One table's section: `row` gives a cell for each of `columns`."""

    title: str
    told: str
    columns: tuple[str, ...]
    row: Callable[[PersonReport, Row], tuple[str, ...]]


def further_parts(report: PersonReport) -> Iterator[Part]:
    """The sections of those tables that hold anything of the person."""
    for table, rows in report.record.others.items():
        if table in FURTHER:
            words = FURTHER[table]
            yield Part(
                key=table.replace("_", "-"),
                title=words.title,
                told=words.told,
                columns=words.columns,
                rows=[words.row(report, row) for row in rows],
                nothing="",
            )


def _wish_to_join(report: PersonReport, row: Row) -> tuple[str, ...]:
    return (
        when(report, row["asked_at"]),
        row["address"],
        row["name"],
        row["organisation"],
        country_name(row["country"]) if row["country"] else "",
        row["language"],
        when(report, row["confirmed_at"]),
    )


def _choice(report: PersonReport, row: Row) -> tuple[str, ...]:
    return (about(report, row["topic"]), when(report, row["at"]))


def _listed(report: PersonReport, row: Row) -> tuple[str, ...]:
    return (_list(row), row["address"] or row["address_key"], when(report, row["created"]), row["bounce"])


def _pushed(report: PersonReport, row: Row) -> tuple[str, ...]:
    done = "the provider does not take it" if row["refused"] else when(report, row["done_at"])
    return (row["address_key"], when(report, row["asked_at"]), done)


def _taken_off(report: PersonReport, row: Row) -> tuple[str, ...]:
    return (_list(row), row["address_key"], when(report, row["asked_at"]), when(report, row["done_at"]))


def _flagged(report: PersonReport, row: Row) -> tuple[str, ...]:
    return (when(report, row["flagged_at"]), row["domain"], f"number {row['mailing_id']}")


def _list(row: Row) -> str:
    return str(row["list"]).replace("_", " ")


FURTHER: Mapping[str, _Words] = {
    "preference": _Words(
        title="Topics that you turned on yourself",
        told="Your own choice on the page of topics. No list takes one away.",
        columns=("topic", "since"),
        row=_choice,
    ),
    "join_request": _Words(
        title="Wishes to join",
        told="Somebody asked to join with this address. What they typed is deleted after a week, whatever came of it.",
        columns=("asked", "address", "name", "organisation", "country", "language", "confirmed"),
        row=_wish_to_join,
    ),
    "provider_entry": _Words(
        title="Lists of the mail provider",
        told="What the provider's own lists said of the address when we read them. The provider keeps them by itself.",
        columns=("list", "address", "on it since", "kind of bounce"),
        row=_listed,
    ),
    "provider_push": _Words(
        title="Told to the mail provider",
        told="You want no mail at all, and we asked the provider to see to that, too.",
        columns=("address", "asked", "done"),
        row=_pushed,
    ),
    "provider_removal": _Words(
        title="Taken off a list of the mail provider",
        told="An opt-out was lifted, and we asked the provider to forget it, too.",
        columns=("list", "address", "asked", "done"),
        row=_taken_off,
    ),
    "burst_opt_out": _Words(
        title="Opt-outs that a mail gateway may have made",
        told="Many came from one domain within minutes: perhaps a program pressed the button. Yours holds.",
        columns=("noticed", "domain", "mailing"),
        row=_flagged,
    ),
}
"""The tables that have words of their own here; any other is told column by column."""
