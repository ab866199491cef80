"""What can go wrong, told by what the caller should do about it.

The failure of one message is not here: it is a value (`model.Outcome`). Two families stand apart on purpose.
`MailError` means that one input is wrong and the rest may go on; `ConfigurationError` means that nothing can work
until somebody mends the set-up, and no `except MailError` may swallow it.
"""

import traceback
from dataclasses import dataclass


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
    """An exception whose text is written for the person at the terminal."""

    def __init__(self, message: str, *, where: str = "", mend: str = "") -> None:
        self.problem = Problem(message=message, where=where, mend=mend)
        super().__init__(str(self.problem))


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


class ConfigurationError(_Explained):
    """The set-up is wrong: settings, project files, secrets, database. Nothing was sent."""


class UsageError(ConfigurationError):
    """The command names something that does not exist or does not fit together."""


class LedgerError(ConfigurationError):
    """This ledger is not the one that the project's live mail is recorded in, or it needs an upgrade."""


class TransportError(ConfigurationError):
    """The mail server as a whole refuses or does not answer: no recipient is to blame, none was tried.

    `temporary` tells that trying again later may help without anybody changing anything.
    """

    def __init__(self, message: str, *, where: str = "", mend: str = "", temporary: bool = False) -> None:
        super().__init__(message, where=where, mend=mend)
        self.temporary = temporary


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
