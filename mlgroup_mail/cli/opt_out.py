"""`opt-out add`, `lift`, `list`, `import`: suppressions by hand and by file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail import addresses
from mlgroup_mail.cli.context import By, JsonLines, opened, whoever_runs_this
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.cli.provider_lists import bursts, pull, take_off_provider_lists
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model.consent import ALL_TOPICS, Road, Signal, SignalKind

if TYPE_CHECKING:
    from mlgroup_mail.consent.files import ImportedFile
    from mlgroup_mail.settings.app import App

Address = Annotated[str, typer.Argument(help="The person's address, any they have or had.")]
Topic = Annotated[str, typer.Option("--topic", help="One topic of mlgroup.toml; else all of them.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="Who is not written to.", no_args_is_help=True)
    group.command("add")(add)
    group.command("lift")(lift)
    group.command("list")(list_)
    group.command("import")(import_)
    group.command("pull")(pull)
    group.command("bursts")(bursts)
    app.add_typer(group, name="opt-out")


def add(
    address: Address,
    topic: Topic = ALL_TOPICS,
    reason: Annotated[str, typer.Option("--reason", help="What they said, or where you have it from.")] = "",
    by: By = None,
) -> None:
    """Stop mail to a person, at once and in every mailing under way."""
    from mlgroup_mail.consent.applying import apply_signal
    from mlgroup_mail.consent.erasing import WithoutErased

    with opened() as app:
        sieve = WithoutErased(app.erasure_key)
        now = app.clock.now()
        who = by or whoever_runs_this()
        signal = Signal(
            kind=SignalKind.OPT_OUT,
            topic=_topic(app, topic),
            road=Road.HAND,
            at=now,
            address=_address(address),
            reason=reason,
            evidence=f"by {who} at the command line",
            actor=who,
        )
        applied = apply_signal(app.store, signal, now=now, sieve=sieve)
    if sieve.met:
        say("This person was erased: no list brings them back, and nothing new is kept of them.")
        return
    whose = f"contact {applied.contact_id}" if applied.contact_id else "nobody on the list yet; kept for when they join"
    say(f"No more mail to {address} on {_named(topic)} ({whose}).")


def lift(
    address: Address,
    reason: Annotated[str, typer.Option("--reason", help="Why they may be written to again.")],
    topic: Annotated[str, typer.Option("--topic", help="The opt-out of this topic; else the only one.")] = ALL_TOPICS,
    all_topics: Annotated[bool, typer.Option("--all-topics", help="All that stand, whatever their topics.")] = False,
    by: By = None,
) -> None:
    """End the opt-out of a person; only a person decides this, never an import."""
    from mlgroup_mail.consent.applying import lift_suppressions

    if all_topics and topic != ALL_TOPICS:
        raise UsageError("give --topic or --all-topics, not both")
    with opened() as app:
        count = lift_suppressions(
            app.store,
            address=_address(address),
            topic=_topic(app, topic),
            by=by or whoever_runs_this(),
            reason=reason,
            now=app.clock.now(),
            several=all_topics,
        )
        say(f"{_counted(count)} of {address} lifted. Mailings they were left out of stay so.")
        take_off_provider_lists(app)


def list_(
    address: Annotated[str | None, typer.Argument(help="One person's; else everybody's.")] = None,
    timing: Annotated[
        bool, typer.Option("--timing", help="How long each took from the request to its effect, by road.")
    ] = False,
    as_json: JsonLines = False,
) -> None:
    """Show standing opt-outs and holds, with their evidence; with --timing, how fast all there have been were."""
    from mlgroup_mail.consent.applying import standing_suppressions
    from mlgroup_mail.store.bursts import flagged_rules

    if timing:
        _show_timing(address, as_json=as_json)
        return
    with opened() as app:
        found = standing_suppressions(app.store, address=_address(address) if address else None)
        with app.store.reading() as connection:
            flagged = flagged_rules(connection)
    if as_json:
        for rule in found:
            print_json(
                {
                    "address": rule.address,
                    "contact_id": rule.contact_id,
                    "restriction": rule.restriction,
                    "topic": rule.topic,
                    "reason": rule.reason,
                    "road": rule.road,
                    "evidence": rule.evidence,
                    "at": rule.at.isoformat(),
                    "burst": flagged.get(rule.suppression_id),
                }
            )
        return
    show_table(
        ["address", "topic", "what", "road", "since", "reason", "evidence"],
        [
            [
                rule.address,
                rule.on,
                rule.restriction,
                rule.road,
                f"{rule.at:%Y-%m-%d}",
                rule.reason + (_BY_A_GATEWAY if rule.suppression_id in flagged else ""),
                rule.evidence,
            ]
            for rule in found
        ],
    )
    say(f"{len(found)} standing.")


_BY_A_GATEWAY = " (perhaps by a mail gateway that presses links)"


def _show_timing(address: str | None, *, as_json: bool) -> None:
    from mlgroup_mail.reporting.opt_out_timing import by_road, timed_json
    from mlgroup_mail.reporting.report.words import speed
    from mlgroup_mail.store.opt_out_timing import timed_opt_outs

    if address:
        raise UsageError("--timing is about everybody: leave the address out, or see explain")
    with opened() as app, app.store.reading() as connection:
        found = timed_opt_outs(connection)
    roads = by_road(found)
    if as_json:
        print_json({"roads": [each.as_json() for each in roads], "opt_outs": [timed_json(each) for each in found]})
        return
    show_table(
        ["road", "opt-outs", "half of them within", "all of them within"],
        [[each.road, each.number, speed(each.median), speed(each.slowest)] for each in roads],
    )
    say(f"{_counted(len(found))}, lifted ones too. A file counts from the time that stands in it.")


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV: address, and if known topic, at, reason; or an export of Mailchimp or listmonk.",
        ),
    ],
    as_json: JsonLines = False,
) -> None:
    """Apply the opt-outs of files, each file once."""
    from mlgroup_mail.consent.files import import_file

    with opened() as app:
        found = [
            import_file(app.store, path, topics=app.project.topics, now=app.clock.now(), erasure_key=app.erasure_key)
            for path in files
        ]
    for each in found:
        if as_json:
            rejected = [{"row": row.row, "reason": row.reason} for row in each.rejected]
            noted = [{"row": row.row, "reason": row.reason} for row in each.noted]
            print_json(
                {
                    "file": each.name,
                    "applied": each.applied,
                    "known": each.known,
                    "erased": each.erased,
                    "passed_over": each.passed_over,
                    "format": each.format,
                    "rejected": rejected,
                    "noted": noted,
                }
            )
        else:
            say(f"{each.name}: {_told(each)}")
            for row in each.rejected:
                say(f"  row {row.row} rejected: {row.reason}")
            for row in each.noted:
                say(f"  row {row.row}: {row.reason}")
    if any(each.rejected for each in found):
        if not as_json:
            say("Mend these rows and import the file again: what was applied is not applied twice.")
        raise typer.Exit(1)


def _told(file: "ImportedFile") -> str:
    if file.known:
        return "imported before"
    told = f"{_counted(file.applied)} applied"
    if file.format:
        told += f" ({file.format})"
    if file.passed_over:
        told += f"; passed over, because they want mail: {file.passed_over}"
    if file.erased:
        told += f"; of people who were erased, known and stopped already: {file.erased}"
    return told


def _counted(number: int) -> str:
    return "1 opt-out" if number == 1 else f"{number} opt-outs"


def _address(text: str) -> str:
    try:
        return addresses.normalise(text)
    except addresses.AddressError as error:
        raise UsageError(f"“{text}” is not a mail address: {error}") from None


def _topic(app: "App", topic: str) -> str:
    if topic != ALL_TOPICS and topic not in app.project.topics:
        raise UsageError(f"there is no topic “{topic}”", mend=f"Known topics: {', '.join(app.project.topics)}.")
    return topic


def _named(topic: str) -> str:
    return "all topics" if topic == ALL_TOPICS else topic
