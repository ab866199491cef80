"""`mlgroup-mail`: the commands of all modules, and what their errors mean for the shell.

Exit codes: 0 done; 1 findings at error level or work left undone; 2 usage or configuration.
"""

import gc
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mlgroup_mail import __version__
from mlgroup_mail.cli import (
    campaigns,
    contacts,
    database,
    looking,
    mailings,
    new,
    opt_out,
    person,
    project,
    report,
    web,
)
from mlgroup_mail.cli.context import set_project_root
from mlgroup_mail.cli.stopping import was_handing_over
from mlgroup_mail.errors import (
    ConfigurationError,
    DeafRoadError,
    MailError,
    OwnerLostError,
    Problem,
    TransportError,
    UnexpectedError,
)

app = typer.Typer(
    name="mlgroup-mail",
    help="Newsletters and invitations for expert groups: sent once, opt-outs handled, every delivery accounted for.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (project, contacts, new, campaigns, mailings, looking, report, opt_out, person, web, database):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlgroup-mail {__version__}")
        raise typer.Exit


@app.callback()
def main(
    project_dir: Annotated[
        Path | None, typer.Option("--project", metavar="DIR", help="The project directory; else the current one.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what happens inside.")] = False,
    _: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)] = False,
) -> None:
    """Set up what all commands share."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    set_project_root(project_dir or Path(os.environ.get("MLGROUP_PROJECT") or "."))


_OBJECTS_BETWEEN_SEARCHES = 50_000
"""Python's 700 let it look for garbage 300 times while a command starts, of whose objects nearly all stay: a tenth of
the start (measured)."""
_INTERRUPTED = 130
_CUT = "stopped; what was just being handed over is in doubt (see `status`), the same command does the rest"


def run() -> None:
    """The entry point: run a command, tell errors in words, exit."""
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        app(args=_project_first(arguments))
    except SystemExit as end:
        # Typer ends so, with 0 or a command's own code, 2 after telling a usage error, 130 after Ctrl-C.
        if end.code == _INTERRUPTED:
            _tell(_CUT if was_handing_over() else "stopped")
        return int(end.code or 0)
    except TransportError as error:
        _tell_all(error.problems)
        return 1 if error.temporary else 2
    except DeafRoadError as error:
        _tell_all(error.problems)
        return 1
    except ConfigurationError as error:
        _tell_all(error.problems)
        return 2
    except MailError as error:
        _tell_all(error.problems)
        return 1
    except OwnerLostError as error:
        _tell(f"{error}; what it had begun is recorded. Run the same command again to go on.")
        return 1
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`). Python would complain again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        _tell(
            f"this was not foreseen, and is a fault of mlgroup-mail: {UnexpectedError(error)}\n"
            "Nothing is lost: what was begun is in the ledger. Please report these lines."
        )
        return 2
    return 0


def _project_first(arguments: list[str]) -> list[str]:
    """Let `--project DIR` stand anywhere on the line, as people write it."""
    for index, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--project" and index + 1 < len(arguments):
            return [*arguments[index : index + 2], *arguments[:index], *arguments[index + 2 :]]
        if argument.startswith("--project="):
            return [argument, *arguments[:index], *arguments[index + 1 :]]
    return arguments


def _tell_all(problems: Iterable[Problem]) -> None:
    for problem in problems:
        _tell(str(problem))


def _tell(text: str) -> None:
    typer.secho("error: ", fg=typer.colors.RED, bold=True, err=True, nl=False)
    typer.echo(text, err=True)
