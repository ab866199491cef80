"""Topics and themes by their names: the words of a key or a title, however they are written."""

from collections.abc import Mapping

from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import unmistakable, wordlist

_SMALL_WORDS = frozenset({"and", "et", "und", "y", "the", "of"})
_LONG_ENOUGH = 4


class Choices:
    """What may be chosen: `titles` by key."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self.keys = tuple(titles)
        named = ((_words(name), key) for key, title in titles.items() for name in {key, title} if _words(name))
        self._by_words = unmistakable(named)

    def find(self, text: str) -> str:
        """The key that a text means: its words are the key's or the title's; empty where it is not known.

        Case, accents, punctuation, "and" and a plural make no difference.
        """
        return self._by_words.get(_words(text), "")

    def begun(self, text: str) -> str:
        """The only key that begins with these words ("Coffee" for `coffee-coding`); empty where there is none."""
        words = f"{_words(text)} "
        found = [key for key in self.keys if _words(key).startswith(words)]
        return found[0] if len(found) == 1 and len(words) > _LONG_ENOUGH else ""

    def named_in(self, text: str) -> set[str]:
        """Every key that a text may mean: it holds all words of the key or the title, or the first ones of the key."""
        words = set(_words(text).split())
        found = {key for named, key in self._by_words.items() if words.issuperset(named.split())}
        return found or {key for key in self.keys if _words(key).startswith(f"{_words(text)} ")}


def refused(text: str) -> str:
    """What a text says that is not wanted ("all but calls", "no calls"); empty where it says no such thing."""
    words = plain(text)
    before = sorted(map(plain, wordlist("statuses")["topics"]["except"]), key=len, reverse=True)
    return next((words[len(phrase) + 1 :] for phrase in before if words.startswith(f"{phrase} ")), "")


def _words(text: str) -> str:
    words = [word for word in plain(text).split() if word not in _SMALL_WORDS]
    return " ".join(word.removesuffix("s") if len(word) >= _LONG_ENOUGH else word for word in words)
