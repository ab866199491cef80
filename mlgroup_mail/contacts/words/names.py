"""What a greeting calls a person, read from a full name where its form leaves no doubt."""

import re
import unicodedata
from functools import cache

from mlgroup_mail.contacts.words.wordlists import wordlist

_ASIDE = re.compile(r"""\([^()]*\)|\[[^\[\]]*\]|["“”„«»][^"“”„«»]*["“”„«»]|[‘'](?=\w)[^‘’']+[’'](?!\w)""")
"""A nickname or a remark: 'Anna "Annie" NOVAK', "NOVAK Anna (on leave)"."""

_IN_NAMES = frozenset(".’'-\u200c\u200d")
_TWO_PEOPLE = re.compile(r"[&+/]|\b(?:and|et|und|y|e|och|og)\b", re.IGNORECASE)
_MOST_GIVEN = 4
_SHORTEST_FAMILY = 3
"""Letters in capitals that are taken for a family name: "JP Costa" are initials."""


def greeting_name(name: str) -> str:
    """The first name in "Family, Given" and in "FAMILY Given" (or "Given FAMILY"); otherwise the name as it is.

    Titles, degrees, nicknames and the particles of a family name are looked past. "Ana Costa" stays whole: in some
    languages the family name comes first, and a wrong guess is worse than none.
    """
    bare = " ".join(_ASIDE.sub(" ", name).split())
    first, *behind = (part.strip() for part in bare.split(","))
    while behind and all(_bare(word) in _words("degrees") for word in behind[-1].split()):
        behind.pop()
    if not behind:
        return _beside_capitals(first) or name
    return (first and len(behind) == 1 and _given(behind[0])) or name


def joined(first_name: str, family_name: str) -> str:
    """A full name from its two columns; a first name that ends in the family name is the full one already."""
    if family_name and first_name.casefold().endswith(f" {family_name}".casefold()):
        return first_name
    return " ".join(part for part in (first_name, family_name) if part)


def _given(text: str) -> str:
    """The first names in what stands behind "Family,"; empty where it is something else."""
    words = _without_titles(text)
    while words and (_initial(words[-1]) or words[-1] in _words("particles")):
        words.pop()
    given = " ".join(words)
    if len(words) > _MOST_GIVEN or not all(map(_is_name, words)) or _TWO_PEOPLE.search(given):
        return ""
    known = _words("not_given") | _words("degrees") | _words("titles")
    return "" if any(_initial(word) or _bare(word) in known for word in words) else given


def _beside_capitals(text: str) -> str:
    """The first names in "NOVAK Anna", "Anna DE LA CRUZ", "van der BERG Anna"; empty where the form is another."""
    words = _without_titles(text)
    while words and _bare(words[-1]) in _words("degrees"):
        words.pop()
    family = [_all_capitals(word) for word in words]
    for place in range(len(words) - 2, -1, -1):
        family[place] = family[place] or (family[place + 1] and words[place] in _words("particles"))
    one_block = family in (sorted(family), sorted(family, reverse=True))
    named = [word for word, capital in zip(words, family, strict=True) if capital]
    others = [word for word, capital in zip(words, family, strict=True) if not capital]
    if not one_block or len("".join(named)) < _SHORTEST_FAMILY or any(word.islower() for word in others):
        return ""
    return _given(" ".join(others))


def _without_titles(text: str) -> list[str]:
    words = text.split()
    while words and _bare(words[0]) in _words("titles"):
        words.pop(0)
    return words


def _is_name(word: str) -> bool:
    return word[0].isalpha() and all(
        char.isalpha() or char in _IN_NAMES or unicodedata.category(char)[0] == "M" for char in word
    )


def _initial(word: str) -> bool:
    """ "J." or "J", "J.-P.": too little to greet somebody with."""
    parts = re.split(r"[.\-]+", word.strip("."))
    return all(len(part) == 1 and not _is_han(part) for part in parts)


def _is_han(char: str) -> bool:
    return char.isalpha() and char.lower() == char.upper()


def _all_capitals(word: str) -> bool:
    """Whether a word is in capitals, but for Mc, Mac, d’ and the German sharp s."""
    core = re.sub(r"^(?:Ma?c|[DdLlO][’'])(?=\w\w)", "", word).replace("ß", "")
    letters = [char for char in core if char.isalpha()]
    return len(letters) > 1 and all(char.isupper() for char in letters)


def _bare(word: str) -> str:
    return word.replace(".", "").strip(",").casefold()


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(map(_bare, wordlist("names")[kind]))
