"""`web`: the pages, until somebody presses Ctrl-C."""

from typing import Annotated

import typer

from mlgroup_mail.cli.context import opened
from mlgroup_mail.cli.output import say


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(web)


def web(
    host: Annotated[str, typer.Option("--host", metavar="H", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")] = 8000,
) -> None:
    """Serve the public address: the opt-out page and one click, pictures of mails, and SendGrid's Event Webhook."""
    from mlgroup_mail.web.app import pages_of
    from mlgroup_mail.web.serving import listen, serve

    with opened() as app, listen(host, port) as socket:
        pages = pages_of(app)
        name, number, *_ = socket.getsockname()
        say(f"Serving on http://{f'[{name}]' if ':' in name else name}:{number} until Ctrl-C.")
        serve(pages, socket)
