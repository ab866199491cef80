"""A live command that an error ends halfway: what has gone by then is shown, and the error after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mlgroup_mail.reporting.status import MailingStatus
    from mlgroup_mail.settings.app import App


@dataclass(kw_only=True)
class Halfway:
    """While this is open, mail goes; `before` is how the mailings stood, `show` prints how they stand."""

    app: "App"
    before: "Sequence[MailingStatus]"
    show: "Callable[[Sequence[MailingStatus]], None]"
    outcomes: int = 0
    """How many deliveries have an outcome by now, as far as this command knows."""

    def __enter__(self) -> "Halfway":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self._tell()

    def _tell(self) -> None:
        from mlgroup_mail.reporting.status import gone_since

        try:
            gone = gone_since(self.app, self.before)
        except Exception:  # the database may be what is gone; the error that ended it is told in any case
            if self.outcomes:
                typer.echo(
                    f"{self.outcomes} deliveries had an outcome by then. `mlgroup-mail status` shows them, and who is "
                    "in doubt, when the database answers again.",
                    err=True,
                )
            return
        if gone:
            self.show(gone)
            typer.echo("It ended halfway: this is what has gone by then. The reason:", err=True)
