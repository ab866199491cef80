"""What a mail server means that takes nothing from us at all, and what to do about it.

Such an answer is about the login, the sender or this machine, whichever recipient it is given for: nobody is refused,
nothing more is tried, and the mailing pauses. Sources: RFC 3463, 5248 and 7372; Microsoft's "Email non-delivery reports
and SMTP errors in Exchange Online" and "Fix issues with printers, scanners, and LOB applications".
"""

import re
from dataclasses import dataclass

ANY = "Check the sender's address in mlgroup.toml and the login in MLGROUP_SMTP_USER."
"""The mend for a refusal of which nothing more is known."""
_LOGIN = "Check MLGROUP_SMTP_USER and MLGROUP_SMTP_PASSWORD."


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One way of taking nothing from us; `said` is looked for in the answer, with its code in front."""

    said: re.Pattern[str]
    mend: str


def _when(said: str, mend: str) -> Refusal:
    return Refusal(said=re.compile(said, re.IGNORECASE), mend=mend)


REFUSALS: tuple[Refusal, ...] = (
    _when(
        r"SmtpClientAuthentication is disabled|5\.7\.139.*(basic auth|disabled)",
        "Exchange Online has SMTP AUTH switched off. IT can allow it for this mailbox alone: "
        "Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false",
    ),
    _when(
        r"\b5\.7\.139\b",
        "Ask who runs the tenant whether a rule forbids this login, and whether the application was given the mailbox "
        "of MLGROUP_SMTP_USER (New-ServicePrincipal, Add-MailboxPermission).",
    ),
    _when(
        r"\b5\.7\.60\b|SendAsDenied|not owned by user|not allowed to send as|send (mail )?as this (sender|user)",
        "The login may not send as the sender in mlgroup.toml: ask for the right “Send As”, or change the sender.",
    ),
    _when(
        r"\b5\.7\.515\b|\b[25]?5\.7\.2[0-7]\b",
        "The sender's domain must pass SPF, DKIM and DMARC: mlgroup-mail doctor --for-it says what to ask for.",
    ),
    _when(
        r"\b5\.7\.(705|708|750|50[1-3]|51[123]|6[0-4]\d)\b|\b5\.1\.8\b"
        r"|client host.*(blocked|rejected)|blocked using",
        "The service has blocked this sender or this machine. Only who runs it can lift that: send them the answer.",
    ),
    _when(
        r"\b5\.1\.90\b|quota exceeded|daily (limit|sending)|sending limit",
        "The mailbox has reached its limit for a day. Wait until tomorrow; MLGROUP_SMTP_PROFILE keeps to such limits.",
    ),
    _when(
        r"\brelay(ing)?\s+(is\s+)?(access\s+)?(denied|not\s+permitted|not\s+allowed|prohibited)|unable\s+to\s+relay"
        r"|\b5\.7\.(54|64)\b",
        "It forwards no mail for us: does it want a login (MLGROUP_SMTP_USER), or to know this machine's address?",
    ),
    _when(r"^53[0458] |\b5\.7\.(3|8|9|11|57)\b", f"It wants a login. {_LOGIN}"),
    _when(r"sender address rejected|helo command rejected", ANY),
    _when(
        r"\b5\.3\.4\b|^552 (?!5\.2).*(too (large|big)|exceeds|size)",
        "The message is too large for this server: make its pictures smaller, or ask for a higher limit.",
    ),
)
"""The first that fits counts."""

_ABOUT_THEM = re.compile(r"\b5\.1\.[0-36]\b|RESOLVER\.|recipient address rejected", re.IGNORECASE)
"""No such address; a mailbox or group of Exchange that takes mail from some people alone; any other rule about it."""


def refusal_of_us(code: int, text: bytes) -> bool:
    """Whether a permanent answer to a named recipient or to a message would meet everybody.

    Where it speaks of the recipient it is about that one, whatever else it says: mailboxes and hosts may be called
    "relay", and a group may want its writers to have logged in.
    """
    said = _said(code, text)
    return _found(said) is not None and not _ABOUT_THEM.search(said)


def mend_for(code: int, text: bytes | str, *, otherwise: str = ANY) -> str:
    """What to do about an answer that takes nothing from us; `otherwise` where its words are not known."""
    found = _found(_said(code, text))
    return found.mend if found else otherwise


def _found(said: str) -> Refusal | None:
    return next((refusal for refusal in REFUSALS if refusal.said.search(said)), None)


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"
