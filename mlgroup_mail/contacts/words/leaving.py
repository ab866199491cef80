"""Whether a status says that a person has left, wants no mail or cannot be reached: in some thirty languages.

Where a status leaves doubt, it is taken as said: a person left out can be put back, a broken promise cannot.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache

from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import wordlist

_BREAKS = re.compile(r"[,;:/|()\[\]–—!?.\n]| - ")
_SHORT_NOT = re.compile(r"n[’']t\b", re.IGNORECASE)
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MONTHS_OF = ("en", "fr", "es", "de", "it", "pt", "nl")
_ANSWERED = re.compile(r"(?P<word>[^:=]+?)\s*(?:[:=]| [-–—])\s*(?P<answer>\w+)")
_BETWEEN = 4


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


@lru_cache(maxsize=65_536)
def leaving(status: str) -> Leaving:
    """What a status says about leaving."""
    text = _SHORT_NOT.sub(" not", status)
    if answered := _ANSWERED.fullmatch(text):
        answer = plain(answered["answer"])
        if answer in _answers("yes"):
            return leaving(answered["word"])
        if answer in _answers("no") and leaving(answered["word"]).opts_out:
            return Leaving.DENIED
    said, denied, rest = 0, 0, list[str]()
    for segment in _BREAKS.split(text):
        unspaced = _UNSPACED.search(segment)
        found = _unspaced(plain(segment)) if unspaced else _spaced(plain(segment).split())
        said, denied, rest = said + found[0], denied + found[1], rest + found[2]
    doubt = "?" in text or not _doubts().isdisjoint(rest)
    if not said and not denied:
        return Leaving.SAID if " ".join(rest) in _alone() else Leaving.UNSAID
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
    turning = _denying("before") | _denying("between") if denied else frozenset[str]()
    return said, denied, [word for word in rest if not adds_nothing(word) and word not in turning]


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
def _alone() -> frozenset[str]:
    return frozenset(map(plain, wordlist("statuses")["leaving_alone"]["words"]))


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
