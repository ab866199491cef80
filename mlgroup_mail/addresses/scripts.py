"""The scripts of a text, and which letters look like Latin ones (Unicode Technical Standard 39)."""

import re
from functools import cache
from typing import Any

from mlgroup_mail.addresses.tables import table

_TOGETHER = ("Latn Hani Hira Kana", "Latn Hani Bopo", "Latn Hani Hang")
"""Japanese, Chinese and Korean are written in several scripts, and their registries take Latin beside them."""

_ALONE = """
Adlm Arab Armn Bali Bamu Batk Beng Bugi Cakm Cans Cham Cher Copt Cyrl Deva Ethi Geor Glag Gong Grek Gujr Guru Hebr Hmnp
Java Kali Khmr Knda Lana Laoo Lepc Limb Lisu Mand Mlym Mong Mtei Mymr Newa Nkoo Olck Orya Osge Plrd Rohg Saur Sinh Sund
Sylo Syrc Tale Talu Taml Tavt Telu Tfng Thaa Thai Tibt Vaii Wcho Yiii
"""
"""The other scripts in use (Unicode Standard Annex 31, tables 5 and 7), by their codes in ISO 15924."""

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_SAME_LOOK = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"))


def one_script(label: str) -> bool:
    """Whether a part of a domain is written in one script, or in several that belong together.

    That is the level "highly restrictive" of UTS 39, 5.2. Digits, hyphens and accents belong to all.
    """
    return label.isascii() or _one_script().fullmatch(label) is not None


def looks_latin(label: str) -> bool:
    """Whether every letter looks like a Latin one and none is (UTS 39, 4: a whole-script confusable)."""
    if label.isascii() or not label.translate(_look_alikes()).isascii():
        return False
    return _letters_of("Latn").search(label) is None


def disguises(text: str) -> bool:
    """Whether a word mixes Latin letters with Cyrillic or Greek ones, the scripts that look most like it.

    Nobody has such a mailbox: it is a slip of the keyboard, or meant to be taken for another one. Other mixtures
    (Latin and Han, two words of two scripts) deceive nobody.
    """
    latin, similar = _letters_of("Latn"), _letters_of("Cyrl", "Grek")
    return any(latin.search(word) and similar.search(word) for word in _BETWEEN_WORDS.split(text))


def skeleton(text: str) -> str:
    """A text by its looks: two texts with one skeleton can be taken for each other.

    By UTS 39 (its prototypes in lower case), and 0 for o, 1 for l, rn for m, vv for w.
    """
    looks = text if text.isascii() else text.translate(_look_alikes())
    for one, other in _SAME_LOOK:
        looks = looks.replace(one, other)
    return looks


@cache
def _look_alikes() -> dict[int, str]:
    return {ord(char): look for look, chars in table("confusables").items() for char in chars.split()}


@cache
def _one_script() -> Any:
    import regex  # type: ignore[import-untyped]

    sets = (rf"[\p{{scx=Zyyy}}\p{{scx=Zinh}}{_any_of(*scripts.split())}]+" for scripts in (*_TOGETHER, *_ALONE.split()))
    return regex.compile("|".join(sets))


@cache
def _letters_of(*scripts: str) -> Any:
    import regex

    return regex.compile(rf"[\p{{L}}&&[{_any_of(*scripts)}]]", regex.V1)


def _any_of(*scripts: str) -> str:
    """For a set of `regex`: the characters that are used in one of these scripts (Unicode's Script_Extensions)."""
    return "".join(rf"\p{{scx={each}}}" for each in scripts)
