"""The pages for an ASGI server of one's own: `uvicorn mlgroup_mail.web.asgi:app`.

The project is the directory that MLGROUP_PROJECT names, else the current one. It is opened when the server starts, or
with the first request where the server tells nothing of its start: the mails of joining that are due then go with the
next POST to join.
"""

import os
from contextlib import ExitStack
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from mlgroup_mail.errors import ConfigurationError, MailError, UsageError


class ProjectPages:
    """Opens the project once, and closes it when the server stops."""

    def __init__(self) -> None:
        self._pages: Starlette | None = None
        self._open = ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it. A project that cannot be opened ends the start of the server, with the reason."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        await self._opened()(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            pages = self._opened()
        except (ConfigurationError, MailError, UsageError) as error:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        with self._open:
            await pages(scope, receive, send)

    def _opened(self) -> ASGIApp:
        if self._pages is None:
            from mlgroup_mail.settings.app import open_app
            from mlgroup_mail.web.app import pages_of
            from mlgroup_mail.web.serving import make_ready

            with ExitStack() as opening:
                parts = opening.enter_context(open_app(Path(os.environ.get("MLGROUP_PROJECT") or ".")))
                self._pages = pages_of(parts)
                # Kept open only where all of it went well: the next request tries anew.
                self._open = opening.pop_all()
            make_ready()
        return self._pages


app = ProjectPages()
"""What the server is told to serve."""
