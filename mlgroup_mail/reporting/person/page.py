"""The page to hand over to a person: what is held about them, in words; one file that fetches and runs nothing."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlgroup_mail.model import DeliveryState, ExclusionReason, Restriction, Road, SignalKind
from mlgroup_mail.reporting.contact_columns import country_name
from mlgroup_mail.reporting.person.further import FURTHER, further_parts
from mlgroup_mail.reporting.person.record import PersonReport, ref_of
from mlgroup_mail.reporting.person.telling import Part, about, joined, when
from mlgroup_mail.reporting.report import words
from mlgroup_mail.store.person_record import HeldDelivery, Row

_FOLDER = Path(__file__).parent
_STYLES = (_FOLDER.parent / "report" / "page.css", _FOLDER / "page.css")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no page may hold: texts from elsewhere may."""

_ROADS = {
    Road.PAGE: "a link in a mail",
    Road.MAILBOX: "a message to the group's mailbox",
    Road.PROVIDER: "the mail provider",
    Road.FILE: "a file or the list itself",
    Road.HAND: "somebody of the team",
}
_KINDS = {
    SignalKind.OPT_OUT: "wish for no more mail",
    SignalKind.BOUNCE: "mail came back: the mailbox does not exist",
    SignalKind.COMPLAINT: "mail was marked as spam",
    SignalKind.REVIEW: "a message for somebody to decide on",
    SignalKind.LIFT: "wish for mail again",
}
_RESTRICTIONS = {Restriction.SUPPRESSION: "not written to", Restriction.HOLD: "not written to until it is decided"}
_OUTCOMES = {**words.STATES, DeliveryState.EXCLUDED: "not sent", DeliveryState.CANCELLED: "not sent, cancelled"}
_COURTESIES = {"test": "a test of a mailing"}


def page(report: PersonReport) -> str:
    """The whole page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = "".join(path.read_text(encoding="utf-8") for path in _STYLES)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    record = report.record
    filled = environment.get_template("page.html").render(
        group=report.group,
        style=style,
        style_digest=digest,
        made_at=words.day_and_time(report.made_at, report.zone),
        zone=report.zone.key,
        erased_at=words.day_and_time(record.erased_at, report.zone) if record.erased_at else "",
        people=[list(_facts(report, row)) for row in record.contacts],
        parts=list(_parts(report)) if not record.erased_at or record.contacts else [],
        others=[
            (table, [_all_of(report, row) for row in rows])
            for table, rows in record.others.items()
            if table not in FURTHER
        ],
    )
    return _UNSEEN.sub("\ufffd", filled)


def _facts(report: PersonReport, row: Row) -> Iterable[tuple[str, str]]:
    """What stands in a contact's row, each under its name for people; what is empty is left out."""
    topics = [report.titles.get(topic, topic) for topic in row["topics"]]
    told = {
        "Number": str(row["id"]),
        "Address": row["address"],
        "Name": row["name"],
        "First name": row["first_name"],
        "Organisation": row["organisation"],
        "Country": country_name(row["country"]) if row["country"] else "",
        "Time zone": row["timezone"],
        "Language": row["language"],
        "Status": row["status"],
        "Themes": ", ".join(row["themes"]),
        "Topics": ", ".join(topics) or ("the usual ones" if row["address"] else ""),
        "From": " ".join(filter(None, (row["source"], row["external_id"]))),
        "Came by": "the group's list" if row["origin"] == "list" else row["origin"],
        "Since": when(report, row["joined_at"]),
        "Last changed": when(report, row["changed_at"]),
        "Left the list": when(report, row["left_at"]),
        "Is now number": str(row["moved_to"] or ""),
    }
    return ((name, value) for name, value in told.items() if value)


def _parts(report: PersonReport) -> Iterable[Part]:
    record = report.record
    yield Part(
        key="addresses",
        title="Addresses",
        told="Those you have or had with us. A former one is kept so that an opt-out under it still counts.",
        columns=("address", "since", "now"),
        rows=[
            (row["address_key"], when(report, row["since"]), "in use" if row["current"] else "former")
            for row in record.addresses
        ],
        nothing="None.",
    )
    yield Part(
        key="mailings",
        title="Mailings",
        told="What was planned for you, what became of it, and what was heard afterwards.",
        columns=("mailing", "subject", "to", "what became of it", "since", "attempts and what followed", "merged in"),
        rows=[_delivery(report, each) for each in record.deliveries],
        nothing="No mailing was planned for you.",
    )
    yield Part(
        key="opt-outs",
        title="Opt-outs and holds",
        told="The rules by which you are not written to, with what they rest on.",
        columns=("rule", "about", "since", "by way of", "reason", "evidence", "ended"),
        rows=[_rule(report, row) for row in record.rules],
        nothing="None: you may be written to.",
    )
    yield Part(
        key="signals",
        title="What was received",
        told="What opt-outs and their ends came from, as it was recorded.",
        columns=("what", "about", "received", "recorded", "by way of", "address", "reason", "evidence", "by"),
        rows=[_signal(report, row) for row in record.signals],
        nothing="Nothing.",
    )
    yield from further_parts(report)
    yield Part(
        key="others",
        title="Mail outside mailings",
        told="Tests, confirmations and the like.",
        columns=("what", "to", "when", "what became of it"),
        rows=[
            (
                _COURTESIES.get(row["kind"], str(row["kind"])),
                row["address"],
                when(report, row["begun_at"]),
                joined(row["outcome"] or "", row["detail"]),
            )
            for row in record.courtesies
        ],
        nothing="None.",
    )
    yield Part(
        key="journal",
        title="What the team decided",
        told="Entries in the journal that are about you.",
        columns=("when", "what", "by", "why"),
        rows=[
            (when(report, row["at"]), words.act(row["act"]), row["actor"] or "by itself", row["reason"])
            for row in record.journal
        ],
        nothing="None.",
    )
    yield Part(
        key="messages",
        title="Copies of messages",
        told="Files on the group's own machine.",
        columns=("file",),
        rows=[(name,) for name in report.messages],
        nothing="None.",
    )


def _delivery(report: PersonReport, held: HeldDelivery) -> tuple[str, ...]:
    row = held.row
    state = DeliveryState(row["state"])
    why = _meaning(row["reason"]) if state is DeliveryState.EXCLUDED else row["reason"]
    followed = [
        *(
            joined(f"{when(report, each['begun_at'])} by {each['transport']}", each["outcome"] or "no answer yet")
            + (f" ({each['detail']})" if each["detail"] else "")
            for each in held.attempts
        ),
        *(
            f"{when(report, each['at'])}: {joined(each['kind'], each['bounce'], each['detail'])}"
            for each in held.events
        ),
        *(f"known to the provider as {alias}" for alias in held.aliases),
    ]
    merged = [f"{name}: {value}" for name, value in _texts(row["fields"])]
    return (
        str(ref_of(held)),
        report.subject(held),
        row["address"],
        joined(_OUTCOMES[state], why),
        when(report, row["changed_at"]),
        "\n".join(followed),
        "\n".join(merged),
    )


def _rule(report: PersonReport, row: Row) -> tuple[str, ...]:
    ended = ""
    if row["lifted_at"]:
        ended = f"{when(report, row['lifted_at'])} by {row['lifted_by']}: {row['lifted_reason']}"
    return (
        _RESTRICTIONS[Restriction(row["restriction"])],
        about(report, row["topic"]),
        when(report, row["at"]),
        _ROADS[Road(row["road"])],
        row["reason"],
        row["evidence"],
        ended,
    )


def _signal(report: PersonReport, row: Row) -> tuple[str, ...]:
    return (
        _KINDS[SignalKind(row["kind"])],
        about(report, row["topic"]),
        when(report, row["at"]),
        when(report, row["recorded_at"]),
        _ROADS[Road(row["road"])],
        row["address"],
        row["reason"],
        row["evidence"],
        row["actor"],
    )


def _all_of(report: PersonReport, row: Row) -> list[tuple[str, str]]:
    """A row of a table that this page has no words for: every column under its own name."""
    return [
        (column.replace("_", " "), when(report, value) if isinstance(value, datetime) else str(value))
        for column, value in row.items()
        if value not in (None, "")
    ]


def _texts(fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return ((name, str(value)) for name, value in fields.items() if value)


def _meaning(reason: str) -> str:
    try:
        return ExclusionReason(reason).meaning
    except ValueError:
        return reason
