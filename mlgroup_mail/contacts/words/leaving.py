"""Whether a status says that a person has left, wants no mail or cannot be reached: in some thirty languages.

Where a status leaves doubt, it is taken as said: a person left out can be put back, a broken promise cannot.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, lru_cache

from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import wordlist

_BREAKS = re.compile(r"[,;:|()\[\]–—!?\n]|[./](?!\d)| - ")
_SHORT_NOT = re.compile(r"n[’']t\b", re.IGNORECASE)
_DEAD = re.compile(r"[†✝]|\b[Rr]\. ?[Ii]\. ?[Pp]\b\.?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MONTHS_OF = ("en", "fr", "es", "de", "it", "pt", "nl")
_ANSWERED = re.compile(r"(?P<word>[^:=]+?)\s*(?:[:=]| [-–—])\s*(?P<answer>\w+)")
_FORMER = ("ex ", "ex", "former ")
_BETWEEN = 4
_STRETCH, _OVERLAP = 500, 100
_MOST_ANSWERS = 3


class Leaving(StrEnum):
    """What a status says about leaving."""

    UNSAID = "unsaid"
    """Nothing."""
    DENIED = "denied"
    """That the person has not: "has not unsubscribed"."""
    SAID = "said"
    """That the person has: "left in 2020"."""
    DOUBTFUL = "doubtful"
    """Perhaps, or with more words than we know: "left?"."""

    @property
    def opts_out(self) -> bool:
        """Whether the person gets no mail."""
        return self in {Leaving.SAID, Leaving.DOUBTFUL}


def leaving(status: str) -> Leaving:
    """What a status says about leaving. In a very long one, each stretch is judged alone, and one that tells decides.

    Stretches overlap, so that no word for leaving is missed where two of them meet.
    """
    if len(status) <= _STRETCH:
        return _answered(status)
    stretches = {_answered(status[start : start + _STRETCH]) for start in range(0, len(status), _STRETCH - _OVERLAP)}
    if any(found.opts_out for found in stretches):
        return Leaving.DOUBTFUL
    return Leaving.DENIED if Leaving.DENIED in stretches else Leaving.UNSAID


@lru_cache(maxsize=65_536)
def _answered(status: str) -> Leaving:
    """What a status says, with the answers behind it: "left: yes", "unsubscribed - no"."""
    texts = [_DEAD.sub(" deceased ", _SHORT_NOT.sub(" not", status))]
    answers: list[str] = []
    while len(answers) < _MOST_ANSWERS and (found := _ANSWERED.fullmatch(texts[-1])):
        texts.append(found["word"])
        answers.append(plain(found["answer"]))
    said = _said(texts.pop())
    for text, answer in zip(reversed(texts), reversed(answers), strict=True):
        if answer in _answers("no") and said.opts_out:
            said = Leaving.DENIED
        elif answer not in _answers("yes"):
            said = _said(text)
    return said


def _said(text: str) -> Leaving:
    said, denied, rest = 0, 0, list[str]()
    for segment in _BREAKS.split(text):
        unspaced = _UNSPACED.search(segment)
        found = _unspaced(plain(segment)) if unspaced else _spaced(plain(segment).split())
        said, denied = said + found[0], denied + found[1]
        rest += found[2]
    doubt = "?" in text or not _doubts().isdisjoint(rest)
    if not said and not denied:
        alone = " ".join(rest)
        if alone in _alone("doubtful"):
            return Leaving.DOUBTFUL
        return Leaving.SAID if alone in _alone("words") else Leaving.UNSAID
    if not said and not doubt:
        return Leaving.DENIED
    return Leaving.DOUBTFUL if denied or doubt or rest else Leaving.SAID


def adds_nothing(word: str) -> bool:
    """Whether a word beside a status only tells when, or is a small one."""
    return word[0].isdigit() or len(word) == 1 or (word in _asides() and word not in _denying("before"))


def _spaced(words: list[str]) -> tuple[int, int, list[str]]:
    """How often leaving is said and denied among some words, and the other words that say something."""
    said = denied = place = 0
    rest: list[str] = []
    while place < len(words):
        length, leaves = next(_phrases_at(words, place), (0, False))
        if not length:
            rest.append(words[place])
            place += 1
            continue
        if leaves:
            turned = _denied(words, place, place + length)
            said, denied = said + (not turned), denied + turned
        place += length
    if not said and not denied and (_unwanted(rest) or _over(rest)):
        # The word that tells so stays among the others, which leaves a doubt.
        said = 1
    turning = _denying("before") | _denying("between") if denied else frozenset[str]()
    return said, denied, [word for word in rest if not adds_nothing(word) and word not in turning]


def _unwanted(words: Sequence[str]) -> bool:
    """Whether a negation stands before a word for mail, a wish or a member: "does not want", "no longer at"."""
    negated = False
    for word in words:
        if negated and (word in _wanted() or word.startswith(_wanted_stems())):
            return True
        negation = word in _denying("before") or word in _denying("lacking")
        negated = negation or (negated and (word in _denying("between") or adds_nothing(word)))
    return False


def _over(words: Sequence[str]) -> bool:
    """Whether something lasted until a year that is over: "member until 2019"."""
    for place, word in enumerate(words):
        if word in _denying("until"):
            years = [int(each) for each in words[place + 1 : place + 1 + _BETWEEN] if _YEAR.fullmatch(each)]
            if years and years[0] < datetime.now(UTC).year:
                return True
    return False


def _phrases_at(words: list[str], place: int) -> Iterator[tuple[int, bool]]:
    """The known phrases that begin at a place, the longest first: their lengths, and whether they tell of leaving."""
    for phrase, leaves in _phrases().get(words[place], ()):
        if words[place : place + len(phrase)] == phrase:
            yield len(phrase), leaves
    if any(words[place].startswith(stem) for stem in _stems()):
        yield 1, True


def _denied(words: list[str], start: int, end: int) -> bool:
    """Whether a negation stands before the words from `start` to `end`, small words between them or not, or behind."""
    negations, between = _denying("before"), _denying("between")
    if end < len(words) and words[end] in _denying("behind"):
        return True
    for word in reversed(words[max(0, start - _BETWEEN) : start]):
        if word in negations:
            return True
        if word not in between:
            return False
    return False


def _unspaced(text: str) -> tuple[int, int, list[str]]:
    """The same for a text whose words are not kept apart."""
    said = denied = 0
    words = wordlist("statuses")
    before, behind = tuple(words["denying"]["unspaced_before"]), tuple(words["denying"]["unspaced_behind"])
    for phrase in _unspaced_phrases():
        while (place := text.find(phrase)) >= 0:
            head, tail = text[:place].rstrip(), text[place + len(phrase) :].lstrip()
            turned = head.endswith(before) or tail.startswith(behind)
            said, denied = said + (not turned), denied + turned
            for sign in before if turned else ():
                head = head.removesuffix(sign)
            for sign in behind if turned else ():
                tail = tail.removeprefix(sign)
            text = f"{head} {tail}"
    for aside in words["aside"]["unspaced"]:
        text = text.replace(aside, " ")
    more_said, more_denied, rest = _spaced(text.split())
    return said + more_said, denied + more_denied, rest


@cache
def _phrases() -> dict[str, list[tuple[list[str], bool]]]:
    """Phrases by their first word, the longest first, each with whether it tells of leaving."""
    words = wordlist("statuses")
    listed = [(phrase, True) for phrases in words["leaving"].values() for phrase in phrases if not phrase.endswith("*")]
    listed += [(f"{former}{member}", True) for member in _members() for former in _FORMER]
    listed += [(phrase, False) for phrase in words["staying"]["words"]]
    phrases: dict[str, list[tuple[list[str], bool]]] = {}
    for phrase, leaves in listed:
        parts = plain(phrase).split()
        phrases.setdefault(parts[0], []).append((parts, leaves))
    return {first: sorted(each, key=lambda found: -len(found[0])) for first, each in phrases.items()}


@cache
def _stems() -> frozenset[str]:
    listed = wordlist("statuses")["leaving"].values()
    return frozenset(plain(phrase) for phrases in listed for phrase in phrases if phrase.endswith("*"))


@cache
def _unspaced_phrases() -> list[str]:
    listed = wordlist("statuses")["leaving"].values()
    return sorted((plain(word) for words in listed for word in words if _UNSPACED.search(word)), key=len, reverse=True)


@cache
def _denying(kind: str) -> frozenset[str]:
    return frozenset(map(plain, wordlist("statuses")["denying"][kind]))


@cache
def _answers(kind: str) -> frozenset[str]:
    return frozenset(map(plain, wordlist("statuses")["answers"][kind])) - {""}


@cache
def _wanted() -> frozenset[str]:
    return frozenset(map(plain, (*wordlist("statuses")["wanted"]["words"], *_members())))


def _members() -> list[str]:
    words = wordlist("statuses")
    return [*words["model"]["member"], *words["wanting"]["words"]]


@cache
def _wanted_stems() -> tuple[str, ...]:
    return tuple(plain(word) for word in wordlist("statuses")["wanted"]["words"] if word.endswith("*"))


@cache
def _alone(kind: str) -> frozenset[str]:
    return frozenset(map(plain, wordlist("statuses")["leaving_alone"][kind]))


@cache
def _doubts() -> frozenset[str]:
    return frozenset(word for words in wordlist("statuses")["doubt"]["words"] for word in plain(words).split())


@cache
def _asides() -> frozenset[str]:
    from babel import Locale

    months = [
        plain(str(month))
        for locale in _MONTHS_OF
        for width in ("wide", "abbreviated")
        for month in Locale(locale).months["format"][width].values()
    ]
    return frozenset((*months, *map(plain, wordlist("statuses")["aside"]["words"])))
