"""What an answer means for those whom a request was for.

SendGrid knows no idempotency key, so nothing is repeated that may have been accepted. Only 202 says that it was, for
all of them and whatever happens to its body; 3xx and 4xx say that nobody was accepted; all else, a 5xx too, leaves it
open. Source: the interface's description, `POST /v3/mail/send`, and twilio.com/docs/sendgrid/api-reference, "Errors".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mlgroup_mail.delivery.transports.sendgrid_answers import SaidError
from mlgroup_mail.model import OutcomeKind, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What became of a request.

    `halved`: it was refused as a whole for what may be one recipient's fault: its halves are claimed apart. `mend`: it
    takes nothing from us at all, and what to do about that; no recipient is to blame.
    """

    kind: OutcomeKind
    scope: Scope = Scope.SERVER
    halved: bool = False
    mend: str = ""


def meaning_of(status: int, errors: Sequence[SaidError], *, recipients: int, sandbox: bool) -> Meaning:
    """What an answer means for a request to so many recipients."""
    if status == 202 or (sandbox and status == 200):
        return Meaning(kind=OutcomeKind.ACCEPTED)
    if status in (400, 413) and not (errors and all(error.ours for error in errors)):
        return _about_one(recipients)
    if status in NOT_NOW:
        return Meaning(kind=OutcomeKind.DEFERRED)
    if 300 <= status <= 499:
        return Meaning(kind=OutcomeKind.DEFERRED, mend=MENDS.get(status, _ANY))
    return Meaning(kind=OutcomeKind.UNCERTAIN)


NOT_NOW = frozenset({408, 429})
"""It was too much, or too slow: that is nobody's fault, and nobody's try."""


def _about_one(recipients: int) -> Meaning:
    if recipients == 1:
        return Meaning(kind=OutcomeKind.REFUSED, scope=Scope.RECIPIENT)
    return Meaning(kind=OutcomeKind.DEFERRED, halved=True)


_ANY = "Check MLGROUP_SENDGRID_URL; `mlgroup-mail doctor` asks the account what is wrong."

MENDS: dict[int, str] = {
    400: "It finds fault with what all recipients share: sender, text or pictures. Mend what it names.",
    401: "The key is wrong or was deleted: check MLGROUP_SENDGRID_API_KEY. A key of the EU region is good there only: "
    "MLGROUP_SENDGRID_URL=https://api.eu.sendgrid.com",
    403: "The key lacks the right Mail Send, or the sender is not authenticated (Settings, Sender Authentication), or "
    "the account was stopped. `mlgroup-mail doctor` shows which.",
    413: "The mail is too large: make its pictures smaller.",
}
"""What to do about an answer that takes nothing from us."""
