"""The words a status column uses, those among them that are an opt-out, and columns that answer yes or no."""

import re
from functools import cache

from mlgroup_mail.contacts.words.leaving import Leaving, adds_nothing, leaving
from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import wordlist
from mlgroup_mail.model import ContactStatus

NO_MAIL = "no mail"
"""The status of whoever chose no topic at all: an opt-out, because empty topics mean the defaults."""

OPTED_OUT = "opted out"
UNSUBSCRIBED = "unsubscribed"
INACTIVE = "inactive"
"""The statuses that columns stand for which answer yes or no."""

_REMARKS = {
    Leaving.DOUBTFUL: "taken as an opt-out, to be safe: nobody is written to who may have left",
    Leaving.DENIED: "taken as no opt-out",
}
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}(?!\d)")


def status_word(text: str) -> str:
    """A status in lower case; the usual words for a member, a lead and the board as the model has them."""
    known, words = _model(), plain(text)
    if words not in known and leaving(text) is Leaving.UNSAID:
        words = " ".join(word for word in words.split() if word in known or not adds_nothing(word))
    return known.get(words) or text.lower()


def opts_out(status: str) -> bool:
    """Whether a status says that the person wants no mail, or may say so."""
    return leaving(status).opts_out


def status_remark(status: str) -> str:
    """What to tell about how a status is taken; nothing where it is plain."""
    return _REMARKS.get(leaving(status), "")


def answer(text: str) -> bool | None:
    """What a cell says that answers yes or no; a date with nothing else is a yes. None where it is neither."""
    for written in (text.strip().casefold(), plain(text)):
        if written in _answers("yes"):
            return True
        if written in _answers("no"):
            return False
    dated = _DATE.search(text) and "?" not in text and not leaving(text).opts_out
    said = all(adds_nothing(word) or word in _answers("yes") for word in plain(text).split())
    return True if dated and said else None


def stays(text: str) -> bool:
    """Whether a word says that the person is a member, or has not left."""
    return plain(text) in _model() or leaving(text) is Leaving.DENIED


def wants_mail(status: str) -> bool:
    """Whether a status says plainly that the person wants mail ("subscribed"); "member" alone does not."""
    return plain(status) in _wanting() or leaving(status) is Leaving.DENIED


def no_topics(text: str) -> bool:
    """Whether a cell of topics says that the person wants none."""
    return plain(text) in _topics("none")


def all_topics(text: str) -> bool:
    """Whether a cell of topics says that the person wants every one."""
    return plain(text) in _topics("all")


@cache
def _model() -> dict[str, ContactStatus]:
    lists = wordlist("statuses")
    found = {plain(word): ContactStatus(status) for status, words in lists["model"].items() for word in words}
    return found | dict.fromkeys(_wanting(), ContactStatus.MEMBER)


@cache
def _wanting() -> frozenset[str]:
    return frozenset(map(plain, wordlist("statuses")["wanting"]["words"]))


@cache
def _answers(kind: str) -> frozenset[str]:
    words = wordlist("statuses")["answers"][kind]
    return frozenset(written for word in words for written in (word.casefold(), plain(word)) if written)


@cache
def _topics(kind: str) -> frozenset[str]:
    return frozenset(map(plain, wordlist("statuses")["topics"][kind]))
