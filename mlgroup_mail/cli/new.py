"""`new`: a campaign folder to fill in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import project_root
from mlgroup_mail.cli.output import say

if TYPE_CHECKING:
    from mlgroup_mail.content.word.word_text import WordText

_SHOWN = 50
"""So many remarks of a kind are told; a document that needs more is looked at as a whole."""


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(new)


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="newsletter, call, invitation or board-update.")],
    campaign_id: Annotated[
        str, typer.Argument(metavar="ID", help="The folder's name, for example 2030-01-newsletter.")
    ],
    document: Annotated[
        Path | None, typer.Option("--from", metavar="FILE.docx", help="A Word document: its text becomes the mail's.")
    ] = None,
) -> None:
    """Make a campaign folder to fill in, due on the next weekday at 09:00. `check` names what is still missing."""
    from mlgroup_mail.clock import SystemClock
    from mlgroup_mail.scaffold.campaign import make_campaign
    from mlgroup_mail.settings.project import read_project

    project = read_project(project_root())
    word = _read(document) if document else None
    written = make_campaign(project, kind, campaign_id, now=SystemClock().now(), word=word)
    say(f"Made {', '.join(str(path) for path in written)}.")
    if word:
        _tell(word)
    say(f"Fill in what says TODO, and look at the dates. Then: mlgroup-mail check {campaign_id}")


def _read(document: Path) -> "WordText":
    from mlgroup_mail.content.word.reading import read_word

    return read_word(document)


def _tell(word: "WordText") -> None:
    """What was kept, what was not, and what was understood in one way of several."""
    from mlgroup_mail.content.word.remarks import RemarkKind

    kept = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in word.kept.items()]
    say(f"Kept: {', '.join(['the text', *kept])}.")
    if not word.title:
        say("The document has no title: write the subject.")
    headings = {RemarkKind.LOST: "Not kept:", RemarkKind.LOOK: "To look at:"}
    for kind, heading in headings.items():
        told = [f"  - {remark}" for remark in word.remarks if remark.kind is kind]
        if len(told) > _SHOWN:
            told[_SHOWN:] = [f"  and {len(told) - _SHOWN} more like these"]
        if told:
            say("\n".join([heading, *told]))
