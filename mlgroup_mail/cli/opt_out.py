"""`opt-out add`, `lift`, `list`, `import`: suppressions by hand and by file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import By, JsonLines, opened, whoever_runs_this
from mlgroup_mail.cli.opt_out_list import counted, list_
from mlgroup_mail.cli.output import print_json, say
from mlgroup_mail.cli.provider_lists import bursts, pull, take_off_provider_lists
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model.consent import ALL_TOPICS

if TYPE_CHECKING:
    from mlgroup_mail.consent.files import ImportedFile
    from mlgroup_mail.settings.app import App

Address = Annotated[str, typer.Argument(help="The person's address, any they have or had.")]
Whose = Annotated[
    str,
    typer.Argument(
        metavar="ADDRESS", help="Any address that they have or had; or the subject of a mail such as “opt out peaa...”."
    ),
]
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
    address: Whose,
    topic: Annotated[
        str | None, typer.Option("--topic", help="One topic of mlgroup.toml; else all, or what the subject names.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="What they said, or where you have it from.")] = "",
    by: By = None,
) -> None:
    """Stop mail to a person, at once and in every mailing under way."""
    from mlgroup_mail.consent.applying import apply_signal
    from mlgroup_mail.consent.by_hand import opt_out_by_hand
    from mlgroup_mail.consent.erasing import WithoutErased

    with opened() as app:
        sieve = WithoutErased(app.erasure_key)
        now = app.clock.now()
        signal, whom = opt_out_by_hand(
            app.store,
            app.tokens_if_any,
            address,
            topic=None if topic is None else _topic(app, topic),
            reason=reason,
            by=by or whoever_runs_this(),
            at=now,
        )
        applied = apply_signal(app.store, signal, now=now, sieve=sieve)
    if sieve.met:
        say("This person was erased: no list brings them back, and nothing new is kept of them.")
        return
    whose = f"contact {applied.contact_id}" if applied.contact_id else "nobody on the list yet; kept for when they join"
    say(f"No more mail to {whom} on {_named(signal.topic)} ({whose}).")


def lift(
    address: Address,
    reason: Annotated[str, typer.Option("--reason", help="Why they may be written to again.")],
    topic: Annotated[str, typer.Option("--topic", help="The opt-out of this topic; else the only one.")] = ALL_TOPICS,
    all_topics: Annotated[bool, typer.Option("--all-topics", help="All that stand, whatever their topics.")] = False,
    by: By = None,
) -> None:
    """End the opt-out of a person; only a person decides this, never an import."""
    from mlgroup_mail.consent.applying import lift_suppressions
    from mlgroup_mail.store.contact_lookup import read_address

    if all_topics and topic != ALL_TOPICS:
        raise UsageError("give --topic or --all-topics, not both")
    with opened() as app:
        count = lift_suppressions(
            app.store,
            address=read_address(address),
            topic=_topic(app, topic),
            by=by or whoever_runs_this(),
            reason=reason,
            now=app.clock.now(),
            several=all_topics,
        )
        say(f"{counted(count)} of {address} lifted. Mailings they were left out of stay so.")
        take_off_provider_lists(app)


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV: address, and if known topic, at, reason; or an export of Mailchimp or listmonk.",
        ),
    ],
    everybody: Annotated[
        bool,
        typer.Option("--everybody", help="All in the files are out, whatever columns say, and though it is a list."),
    ] = False,
    as_json: JsonLines = False,
) -> None:
    """Apply the opt-outs of files, each file once. The group's own list is refused."""
    with opened() as app:
        found = [app.import_opt_out_file(path, everybody=everybody) for path in files]
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
    told = f"{counted(file.applied)} applied"
    if file.format:
        told += f" ({file.format})"
    if file.passed_over:
        told += f"; passed over, because they want mail: {file.passed_over}"
    if file.erased:
        told += f"; of people who were erased, known and stopped already: {file.erased}"
    return told


def _topic(app: "App", topic: str) -> str:
    if topic != ALL_TOPICS and topic not in app.project.topics:
        raise UsageError(f"there is no topic “{topic}”", mend=f"Known topics: {', '.join(app.project.topics)}.")
    return topic


def _named(topic: str) -> str:
    return "all topics" if topic == ALL_TOPICS else topic
