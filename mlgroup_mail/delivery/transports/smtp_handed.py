"""What came of one message: the meaning of its ending, and the server's words without whom they name."""

import re
from dataclasses import dataclass

from mlgroup_mail.delivery.transports.smtp_answers import answer
from mlgroup_mail.delivery.transports.smtp_meaning import Meaning, Next, Phase, broken, meaning_of
from mlgroup_mail.delivery.transports.smtp_refusals import mend_for
from mlgroup_mail.delivery.transports.smtp_replies import Reply
from mlgroup_mail.model import Message, OutcomeKind, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """What came of one message, and of the connection. `mend` says what to do where `next` is `PAUSE`."""

    meaning: Meaning
    detail: str
    mend: str = ""

    @property
    def next(self) -> Next:
        """What the connection is good for."""
        return self.meaning.next


def answered(message: Message, phase: Phase, reply: Reply) -> Handed:
    """The server's answer decided."""
    meaning = meaning_of(phase, reply.code, reply.text)
    if meaning.kind is OutcomeKind.ACCEPTED:
        return Handed(meaning=meaning, detail=_quote(message, reply))
    readable = 400 <= reply.code <= 599
    detail = f"{_quote(message, reply)} ({phase})" if readable else f"an answer out of place {phase}"
    mend = mend_for(reply.code, reply.text) if meaning.next is Next.PAUSE else ""
    return Handed(meaning=meaning, detail=detail, mend=mend)


def lost(phase: Phase, *, silent: bool = False) -> Handed:
    """The connection broke, or nothing came for too long (`silent`)."""
    detail = f"{'no answer' if silent else 'the connection broke'} {phase}"
    return Handed(meaning=broken(phase, silent=silent), detail=detail)


def failed(phase: Phase) -> Handed:
    """Something of our own went wrong: its kind is in the log. The next try must not wait for another connection."""
    return Handed(meaning=broken(phase, silent=True), detail=f"it could not be handed over {phase}")


def unsendable(reason: str) -> Handed:
    """It must not be put on the wire at all."""
    return Handed(meaning=Meaning(kind=OutcomeKind.REFUSED, scope=Scope.RECIPIENT), detail=reason)


def _quote(message: Message, reply: Reply) -> str:
    """The server's words without the recipient, whom they often name: "user anna.muller unknown"."""
    return answer(reply.code, _without(message.address, reply.text.decode("utf-8", "replace")))


def _without(address: str, said: str) -> str:
    """What was said, with the part before the @ masked where it stands alone, and in the forms that servers give it."""
    local = address.rpartition("@")[0]
    for name in dict.fromkeys((local, local.partition("+")[0])):
        if len(name) > 1 and _may_hold(said, name):
            written = "".join(map(_as_written, name))
            # A dot may end the sentence; before a letter or a digit the name goes on.
            alone = re.compile(rf"(?<![\w…])(?<!\w\.){written}(?!\w|\.\w)", re.IGNORECASE)
            said = alone.sub(f"{name[0]}…".replace("\\", r"\\"), said)
    return said


def _may_hold(said: str, name: str) -> bool:
    """False where it surely does not: most answers are a plain yes, and looking closely takes as long as a message."""
    return name.casefold() in said.casefold() or not said.isascii() or any(mark in said for mark in "=%+")


def _as_written(letter: str) -> str:
    """A pattern for a letter of a name: itself, or its bytes in hexadecimal after "=", "%" or "+"."""
    code = "".join(f"[=%+]{byte:02x}" for byte in letter.encode())
    return f"(?:{re.escape(letter)}|{code})"
