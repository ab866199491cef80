"""`contacts segment`: who is in a segment."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlgroup_mail.addresses import mask
from mlgroup_mail.cli.context import Json, opened
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.cli.progress_bar import progress_bar
from mlgroup_mail.errors import UsageError

if TYPE_CHECKING:
    from mlgroup_mail.reporting.segments import SegmentSize, SegmentView

_VALUES = 12
"""Values shown of a field; --json has all."""

_REACHABLE = "Reachable are those without an opt-out of all mail, a bounce, a complaint or a hold."


def register(group: typer.Typer) -> None:
    """Add this module's command to the group `contacts`."""
    group.command()(segment)


def segment(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One segment; else all of them.")] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", metavar="TOML", help='A rule to try, as: country = ["FR", "BE"]')
    ] = None,
    as_json: Json = False,
) -> None:
    """Count who is in a segment on the stored list, and show a few of them. NAME may be accepted:CAMPAIGN/MAILING."""
    from mlgroup_mail.reporting.segments import size_segments, view_segment

    if name is not None and rule is not None:
        raise UsageError("give the name of a segment or --rule, not both")
    what = name if rule is None else _read(rule)
    with opened() as app, progress_bar("counting", quiet=as_json) as tell:

        def progress(done: int, total: int) -> None:
            tell(completed=done, total=total)

        sizes = size_segments(app, progress=progress) if what is None else []
        view = view_segment(app, what, progress=progress) if what is not None else None
    if as_json:
        print_json(view.as_json() if view else {"segments": [size.as_json() for size in sizes]})
    elif view:
        _show_view(view)
    else:
        _show_sizes(sizes)


def _read(rule: str) -> dict[str, Any]:
    """A rule as the keys of a table, over several lines or, as in an inline table, on one."""
    from mlgroup_mail.documents import parse_toml

    text = rule.strip()
    if "\n" in text:
        return parse_toml(text, where="--rule")
    table: dict[str, Any] = parse_toml(f"rule = {text if text.startswith('{') else f'{{ {text} }}'}", where="--rule")
    return dict(table["rule"])


def _show_sizes(sizes: "list[SegmentSize]") -> None:
    if not sizes:
        say("There is no segment yet. Add [segment.members] to contacts/contacts.toml.")
        return
    rows = [(size.name, size.rule, size.contacts, size.reachable) for size in sizes if not size.problem]
    show_table(("segment", "rule", "contacts", "reachable"), rows)
    say(_REACHABLE)
    for size in sizes:
        if size.problem:
            say(f"{size.name} cannot be counted: {size.problem}.")


def _show_view(view: "SegmentView") -> None:
    size = view.size
    rows = [("in the segment", size.contacts), ("of them reachable", size.reachable), ("on the list", view.listed)]
    say(f"{size.name}: {size.rule}")
    show_table(("", "people"), rows)
    say(_REACHABLE)
    counted = [
        (field, value or "(none)", number)
        for field, counter in view.counts.items()
        for value, number in sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:_VALUES]
    ]
    if counted:
        show_table(("field", "value", "people"), counted, title="What they have")
    for field, counter in view.counts.items():
        if (more := len(counter) - _VALUES) > 0:
            say(f"... and {more} more values of {field}; --json has all.")
    if view.examples:
        show_table(
            ("name", "address", "organisation", "country"),
            [(person.name, mask(person.address), person.organisation, person.country) for person in view.examples],
            title=f"{len(view.examples)} of them" if len(view.examples) < size.contacts else "All of them",
        )
    for key, word in view.nobody_has:
        say(f"Nobody on the list has {key} = “{word}”." if word else f"Everybody on the list has a {key}.")
