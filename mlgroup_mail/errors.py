"""What can go wrong, told by what the caller should do about it.

The failure of one message is not here: it is a value (`model.Outcome`). Two families stand apart on purpose.
`MailError` means that one input is wrong and the rest may go on; `ConfigurationError` means that nothing can work
until somebody mends the set-up, and no `except MailError` may swallow it.
"""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong, where it stands, and what to do about it."""

    message: str
    where: str = ""
    mend: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f"\n  {self.mend}" if self.mend else ""
        return f"{place}{self.message}{mend}"


class _Explained(Exception):
    """An exception whose text is written for the person at the terminal.

    `problem` is the first thing that is wrong, `problems` are all that were found.
    """

    def __init__(self, message: str, *, where: str = "", mend: str = "") -> None:
        self.problem = Problem(message=message, where=where, mend=mend)
        self.problems: tuple[Problem, ...] = (self.problem,)
        super().__init__(str(self.problem))

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """One error for several things, one at least."""
        found = tuple(problems)
        error = cls(found[0].message, where=found[0].where, mend=found[0].mend)
        error.problems = found
        error.args = ("\n".join(map(str, found)),)
        return error


class MailError(_Explained):
    """One input is wrong: mend it and run the same command again."""


class ContactSourceError(MailError):
    """A contact source cannot be used as a whole. What was stored before stays."""


class CampaignError(MailError):
    """A campaign, its calendar or a template cannot be read, compiled or sent as it is."""


class NotApprovedError(CampaignError):
    """The mailing has no approval, or what it was given for has changed since."""


class MailingStateError(MailError):
    """The mailing is in a state in which this cannot be done."""


class Collected:
    """Gathers what is wrong with one input, so that people can mend all of it at once.

    As a context (`with collected:`) it takes what its block raises, a CampaignError, and lets the work go on behind it.
    """

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found so far, each thing once."""
        return tuple(self._problems)

    def add(self, *problems: Problem) -> None:
        """Note what is wrong."""
        self._problems |= dict.fromkeys(problems)

    def refuse(self) -> None:
        """Raise CampaignError with all that was found; does nothing where all is well."""
        if self._problems:
            raise CampaignError.of(self._problems)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, CampaignError):
            self.add(*error.problems)
            return True
        return False


class ConfigurationError(_Explained):
    """The set-up is wrong: settings, project files, secrets, database. Nothing was sent."""


class UsageError(ConfigurationError):
    """The command names something that does not exist or does not fit together."""


class MailingSetUpError(ConfigurationError):
    """The set-up keeps one mailing from going, and no other: those have their turn."""


class LedgerError(ConfigurationError):
    """This ledger is not the one that the project's live mail is recorded in, or it needs an upgrade."""


class ClockError(ConfigurationError):
    """The machine's clock cannot be right, by what the ledger or its database knows. Nothing was sent."""


class DeafRoadError(ConfigurationError):
    """A way by which people opt out has not been read for a day. Nothing is sent until it is."""


class TransportError(ConfigurationError):
    """The mail server as a whole refuses or does not answer: no recipient is to blame, none was tried.

    `temporary` tells that trying again later may help without anybody changing anything.
    """

    def __init__(self, message: str, *, where: str = "", mend: str = "", temporary: bool = False) -> None:
        super().__init__(message, where=where, mend=mend)
        self.temporary = temporary


class RefusedByServerError(TransportError):
    """The mail server answers, and takes nothing from us: it refuses the login, the sender or this machine.

    It goes on refusing until somebody mends that, and may lock an account that keeps trying: the mailing pauses.
    """


class OwnerLostError(Exception):
    """This process was given up for dead while it slept: it may record late answers, and claims no more."""


class UnexpectedError(Exception):
    """An error that was not foreseen: its kind and its places, and not its text.

    A database quotes the row it refuses, a parser the line it cannot read; terminals are logged, and Prefect keeps
    what flows say.
    """

    def __init__(self, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        places = "".join(f"\n  {frame.filename}, line {frame.lineno}, in {frame.name}" for frame in frames)
        super().__init__(f"{type(error).__module__}.{type(error).__qualname__}, raised through:{places}")
