"""The page of a report: one file that fetches nothing and runs nothing."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.model import DeliveryState, MailingState
from mlgroup_mail.reporting.report import words
from mlgroup_mail.reporting.report.figures import AFTERMATH, Report
from mlgroup_mail.reporting.report.groups import Group, Grouped
from mlgroup_mail.reporting.report.plots import Bar, bar_plot, progress_plot

_FOLDER = Path(__file__).parent
_TROUBLE = (DeliveryState.REFUSED, DeliveryState.UNCERTAIN)
_PROGRESS_LINES = 12
_A_SECOND, _SHORT_RUN = timedelta(seconds=1), timedelta(minutes=1)
"""What takes no longer than a short run is told in a sentence: its line would be one step."""
_NUMBER = re.compile(r"[\d,]+ \(")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no page may hold: a server's answer may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What a plot shows, in numbers; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A section: its plot ("" for none) with the states that its colours mean, and the table beside it."""

    key: str
    title: str
    told: str = ""
    plot: str = ""
    states: tuple[DeliveryState, ...] = ()
    tables: tuple[Table, ...] = ()


def page(report: Report) -> str:
    """The whole page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    filled = environment.get_template("page.html").render(
        report=report,
        style=style,
        style_digest=digest,
        facts=list(_facts(report)),
        remarks=[_with_commands(addresses.mask_text(remark)) for remark in report.status.remarks],
        tiles=list(_tiles(report)),
        parts=list(_parts(report)),
        more_in_doubt=report.status.counts[DeliveryState.UNCERTAIN] - len(report.uncertain),
        journal=_journal(report),
        states=_states(report),
        mail_servers=not report.in_outbox,
        when=lambda moment: words.short_time(moment, report.zone),
        numeric=_numeric,
        nothing=_nothing_to_count(report),
    )
    return _UNSEEN.sub("\ufffd", filled)


def _with_commands(remark: str) -> list[tuple[str, bool]]:
    """A remark in pieces: its text, and whether a piece stands between backticks and so is a command."""
    return [(piece, bool(place % 2)) for place, piece in enumerate(remark.split("`"))]


def _numeric(found: Table) -> set[int]:
    """The columns that stand right: those of numbers, also where a share stands behind each."""
    return {
        column
        for column in range(1, len(found.columns))
        if all(isinstance(row[column], int) or _NUMBER.match(str(row[column])) for row in found.rows)
    }


def _nothing_to_count(report: Report) -> str:
    if report.status.state is MailingState.DRAFT:
        return f"It is not approved: mlgroup-mail check {report.ref.campaign}, then mlgroup-mail approve {report.ref}"
    if report.status.state is MailingState.APPROVED:
        return "It is approved, and its audience is still open: it is frozen when it is planned or due."
    return "Nobody is in its audience: the rule of the audience met no one on the list."


def _facts(report: Report) -> Iterable[tuple[str, str]]:
    """What stands under the headline: (what, the answer)."""
    status, zone = report.status, report.zone
    yield "State", status.state
    if report.approved_at:
        yield "Approved", f"by {report.approved_by}, {words.day_and_time(report.approved_at, zone)}"
    yield "To be sent from", words.day_and_time(status.send_at, zone)
    if report.attempted:
        first, last = report.attempted
        yield "First attempt", words.day_and_time(first, zone, seconds=True)
        after = f"{words.duration(first, last)} later" if last - first >= _A_SECOND else "in the same second"
        yield "Last attempt", f"{words.day_and_time(last, zone, seconds=True)}, {after}"
    else:
        yield "First attempt", "none yet"


def _states(report: Report) -> Mapping[DeliveryState, str]:
    return words.IN_OUTBOX if report.in_outbox else words.STATES


def _tiles(report: Report) -> Iterable[tuple[str, int, str]]:
    """The numbers in large: (what, how many, the colour of the state)."""
    counts = report.status.counts
    yield "audience", report.status.audience, ""
    for state in words.STATES:
        if counts[state] or state in {DeliveryState.ACCEPTED, *_TROUBLE}:
            yield state.value, counts[state], state.value


def _parts(report: Report) -> Iterable[Part]:
    if not report.status.audience:
        return
    yield _outcomes(report)
    yield _progress(report)
    if report.exclusions:
        yield _exclusions(report)
    if report.countries.groups:
        yield _groups(report.countries, key="countries", title="By country", what="country")
        yield _groups(report.domains, key="domains", title="By receiving domain", what="domain")
    if report.canaries:
        yield _canaries(report)
    if report.attempted:
        yield _aftermath(report)


def _outcomes(report: Report) -> Part:
    counts = report.status.counts
    shown = [state for state in words.STATES if counts[state]]
    named = _states(report)
    bars = [Bar(name=named[each], told=f"{counts[each]:,}", parts=((each, counts[each]),)) for each in shown]
    rows = tuple((named[state], counts[state]) for state in shown)
    title = f"What became of the audience of {report.status.audience:,}"
    answers = tuple((state.value, text, number) for state, text, number in report.answers)
    return Part(
        key="outcomes",
        title="Outcomes",
        told=_accepted_means(report),
        plot=bar_plot(bars, name="outcomes", title=title),
        tables=(
            Table(caption=title, columns=("outcome", "people"), rows=rows),
            Table(caption="What mail servers said", columns=("state", "answer", "people"), rows=answers),
        ),
    )


def _accepted_means(report: Report) -> str:
    if report.in_outbox:
        return "Accepted means here: written to the outbox. Nothing left this machine."
    outbox = (
        " Some were written to the outbox only, and never left this machine." if "outbox" in report.transports else ""
    )
    return f"Accepted means that a mail server took it over. It is not the same as delivered, or read.{outbox}"


def _progress(report: Report) -> Part:
    title = "How many were accepted by when"
    if report.attempted is None:
        return Part(key="progress", title="Progress", told="Nothing has been tried yet.")
    every = max(1, -(-len(report.progress) // _PROGRESS_LINES))
    steps = [*report.progress[every - 1 :: every], *(report.progress[-1:] if len(report.progress) % every else ())]
    rows = tuple((words.short_time(moment, report.zone), number) for moment, number in steps)
    stops = tuple(
        (
            words.short_time(stop.since, report.zone),
            words.short_time(stop.until, report.zone) if stop.until else "until now",
            " ".join(filter(None, (stop.what, stop.why))),
        )
        for stop in report.stops
    )
    begin, end = report.attempted
    short = end - begin <= _SHORT_RUN
    told = [f"{report.progress[-1][1]:,} accepted within a minute of the first attempt."] if short and rows else []
    told += ["Shaded: the times in which it stood still."] if stops and rows and not short else []
    return Part(
        key="progress",
        title="Progress",
        told=" ".join(told),
        plot=progress_plot(report, name="progress", title=f"{title}: {report.progress[-1][1]:,} in the end.")
        if rows and not short
        else "",
        tables=(
            Table(caption=title, columns=("by", "accepted"), rows=() if short else rows),
            Table(caption="When it stood still", columns=("from", "to", "why"), rows=stops),
        ),
    )


def _exclusions(report: Report) -> Part:
    excluded = DeliveryState.EXCLUDED
    found = [(reason.meaning, number) for reason, number in report.exclusions.items()]
    bars = [Bar(name=meaning, told=f"{number:,}", parts=((excluded, number),)) for meaning, number in found]
    title = "Who of the audience was left out, by reason"
    return Part(
        key="exclusions",
        title="Left out",
        told="In the audience’s rule, and not written to.",
        plot=bar_plot(bars, name="exclusions", title=title),
        tables=(Table(caption=title, columns=("because they", "people"), rows=tuple(found)),),
    )


def _groups(found: Grouped, *, key: str, title: str, what: str) -> Part:
    present = tuple(state for state in words.STATES if any(group.counts[state] for group in found.groups))
    bars = [
        Bar(name=group.name, told=_told(group), parts=tuple((state, group.counts[state]) for state in present))
        # All others together are longer than each of the rest, and would make these stubs.
        for group in (found.groups[:-1] if found.others else found.groups)
    ]
    # Whoever is deferred now was deferred at least once.
    told = [state for state in present if state is not DeliveryState.DEFERRED]
    columns = (what, "people", *(_short(state) for state in told), "deferred once or more")
    rows = tuple(
        (
            group.name,
            group.recipients,
            *(_with_share(group, group.counts[state]) if state in _TROUBLE else group.counts[state] for state in told),
            _with_share(group, group.put_off),
        )
        for group in found.groups
    )
    caption = f"Recipients by {what}: the largest {len(rows) - 1}, and all others" if found.others else f"By {what}"
    return Part(
        key=key,
        title=title,
        told=f"The largest {len(bars)}; the table has the {found.others} others as one." if found.others else "",
        plot=bar_plot(bars, name=key, title=caption),
        states=present,
        tables=(Table(caption=caption, columns=columns, rows=rows),),
    )


def _short(state: DeliveryState) -> str:
    return "in doubt" if state is DeliveryState.UNCERTAIN else state.value


def _with_share(group: Group, number: int) -> object:
    return f"{number:,} ({group.share(number)})" if number else number


def _told(group: Group) -> str:
    troubles = [f"{group.counts[state]:,} {_short(state)}" for state in _TROUBLE if group.counts[state]]
    return " · ".join([f"{group.recipients:,}", *troubles])


def _aftermath(report: Report) -> Part:
    later = tuple(
        (words.LATER[rules.kind], rules.people, rules.on_all, _speed(rules.median_seconds), _speed(rules.max_seconds))
        for rules in report.later
    )
    events = tuple(report.events.items())
    nothing = "" if later or events else " Nothing has come in so far."
    return Part(
        key="after",
        title="Afterwards",
        told=f"What came in after the first attempt and cites this mailing, or is about its topic and came within "
        f"{AFTERMATH.days} days.{nothing}",
        tables=(
            Table(
                caption="What readers did, and how soon it was in effect",
                columns=("recipients who", "people", "on all topics", "half of them within", "all of them within"),
                rows=later,
            ),
            Table(caption="What mail servers told later", columns=("event", "deliveries"), rows=events),
        ),
    )


def _speed(seconds: float) -> str:
    return words.speed(timedelta(seconds=seconds))


def _canaries(report: Report) -> Part:
    rows = tuple(
        (
            f"contact {person.contact_id}, {person.address}",
            person.canary,
            _short(person.state),
            words.short_time(person.at, report.zone),
        )
        for person in report.canaries
    )
    return Part(
        key="canaries",
        title="Canaries",
        told="Addresses of the team that ride along: counted in the audience, and in everything above.",
        tables=(Table(caption="Who of the team", columns=("canary", "place", "state", "since"), rows=rows),),
    )


def _journal(report: Report) -> Sequence[tuple[str, str, str, str]]:
    return [
        (
            words.short_time(entry.at, report.zone),
            words.act(entry.act) + (", one delivery" if entry.delivery_id else ""),
            entry.actor or "by itself",
            entry.reason,
        )
        for entry in report.journal
    ]
