"""One dispatch of a campaign: its name, its states, its batches."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mlgroup_mail.errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class MailingRef:
    """The name of a mailing, written `<campaign>/<mailing>`."""

    campaign: str
    mailing: str

    def __str__(self) -> str:
        return f"{self.campaign}/{self.mailing}"

    @classmethod
    def parse(cls, text: str) -> "MailingRef":
        """Read `<campaign>/<mailing>`; raises UsageError for anything else."""
        parts = text.strip().removeprefix("campaigns/").strip("/").split("/")
        if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
            raise UsageError(
                f"“{text}” does not name a mailing",
                mend="Write <campaign>/<mailing>, for example 2021-10-newsletter/issue.",
            )
        return cls(*parts)


class MailingState(StrEnum):
    """Where a mailing stands. DRAFT and EXPIRED are told from the files and the clock, never stored."""

    DRAFT = "draft"
    """Written, not approved, or changed since it was."""
    APPROVED = "approved"
    """Somebody has approved exactly this text, audience rule and schedule."""
    PLANNING = "planning"
    """The audience is being frozen, in chunks; goes on where it stopped."""
    PLANNED = "planned"
    """Every recipient has a batch with a due time; nothing has been tried."""
    SENDING = "sending"
    """Under way: claims are made, or may be again after a pause."""
    PAUSED = "paused"
    """A person stopped it, or it paused itself because nothing could go well; `resume` goes on."""
    HELD = "held"
    """It stopped itself; the reason says why, `resume` goes on."""
    FINISHED = "finished"
    """Nothing is planned, attempting or deferred."""
    CANCELLED = "cancelled"
    """A person ended it for good."""
    EXPIRED = "expired"
    """Its `stop_at` passed before it was finished; `send --late` gives it 48 hours more."""


class MailingStep(StrEnum):
    """What can happen to a mailing."""

    APPROVE = "approve"
    """`approve`: binds the hash of what goes out. A plan that was begun allows it while it holds no recipient."""
    BEGIN_PLANNING = "begin_planning"
    """The first chunk of the audience is frozen."""
    END_PLANNING = "end_planning"
    """The last chunk is frozen."""
    BEGIN_SENDING = "begin_sending"
    """The first claim."""
    PAUSE = "pause"
    """A person stops it, or it pauses itself."""
    HOLD = "hold"
    """It stops itself."""
    RESUME = "resume"
    """A person lets it go on."""
    FINISH = "finish"
    """Nothing is open any more."""
    REOPEN = "reopen"
    """A late answer or a person put a delivery back."""
    CANCEL = "cancel"
    """A person ends it."""


_S, _D = MailingState, MailingStep

TRANSITIONS: dict[tuple[MailingState, MailingStep], MailingState] = {
    (_S.DRAFT, _D.APPROVE): _S.APPROVED,
    (_S.APPROVED, _D.APPROVE): _S.APPROVED,
    (_S.APPROVED, _D.BEGIN_PLANNING): _S.PLANNING,
    (_S.APPROVED, _D.CANCEL): _S.CANCELLED,
    (_S.PLANNING, _D.APPROVE): _S.APPROVED,
    (_S.PLANNING, _D.END_PLANNING): _S.PLANNED,
    (_S.PLANNING, _D.CANCEL): _S.CANCELLED,
    (_S.PLANNED, _D.BEGIN_SENDING): _S.SENDING,
    (_S.PLANNED, _D.PAUSE): _S.PAUSED,
    (_S.PLANNED, _D.HOLD): _S.HELD,
    (_S.PLANNED, _D.FINISH): _S.FINISHED,
    (_S.PLANNED, _D.CANCEL): _S.CANCELLED,
    (_S.SENDING, _D.BEGIN_SENDING): _S.SENDING,
    (_S.SENDING, _D.PAUSE): _S.PAUSED,
    (_S.SENDING, _D.HOLD): _S.HELD,
    (_S.SENDING, _D.FINISH): _S.FINISHED,
    (_S.SENDING, _D.CANCEL): _S.CANCELLED,
    (_S.PAUSED, _D.RESUME): _S.SENDING,
    (_S.PAUSED, _D.FINISH): _S.FINISHED,
    (_S.PAUSED, _D.CANCEL): _S.CANCELLED,
    (_S.HELD, _D.RESUME): _S.SENDING,
    (_S.HELD, _D.PAUSE): _S.PAUSED,
    (_S.HELD, _D.FINISH): _S.FINISHED,
    (_S.HELD, _D.CANCEL): _S.CANCELLED,
    (_S.FINISHED, _D.REOPEN): _S.SENDING,
}
"""(state, step) -> next state. What is missing is not allowed."""

DISPATCHABLE = frozenset({MailingState.PLANNED, MailingState.SENDING})
"""The states in which a claim may be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A numbered part of a mailing with a time before which it must not go."""

    batch_id: int
    mailing_id: int
    ref: MailingRef
    number: int
    due_at: datetime
