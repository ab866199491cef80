"""Which accented letters the languages of old 8-bit encodings are written with."""

import re
from collections.abc import Sequence

_LATIN = {
    "French": "àâçéèêëîïôœùûüÿ",
    "German": "äöüß",
    "Spanish": "áéíñóúüçï",
    "Portuguese": "áâãàçéêíóôõúü",
    "Italian": "àèéìíòóùú",
    "Dutch": "áéëïóöüèê",
    "Danish": "æøåéóüö",
    "Swedish": "åäöéüà",
    "Estonian": "äöüõšž",
    "Icelandic": "áðéíóúýþæö",
    "Polish": "ąćęłńóśźż",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Hungarian": "áéíóöőúüű",
    "Croatian": "čćđšž",
    "Romanian": "ăâîşţ",
    "Modern Romanian": "ăâîșț",
    "Albanian": "ëç",
    "Turkish": "çğıİöşüâîû",
    "Lithuanian": "ąčęėįšųūž",
    "Latvian": "āčēģīķļņšūž",
}
_OTHER = {
    "Russian": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "Belarusian": "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
    "Bulgarian": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "Serbian": "абвгдђежзијклљмнњопрстћуфхцчџшѓќѕ",
    "Greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    "Hebrew": "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
    "Arabic": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي",
}
_WEST = (
    "French", "German", "Spanish", "Portuguese", "Italian", "Dutch", "Danish", "Swedish", "Icelandic", "Albanian",
)  # fmt: skip
_CENTRAL = ("Polish", "Czech", "Slovak", "Hungarian", "Croatian", "Romanian", "German", "Albanian")
_CYRILLIC = ("Russian", "Ukrainian", "Belarusian", "Bulgarian", "Serbian")
_BALTIC = ("Lithuanian", "Latvian", "Estonian", "German")

ENCODINGS: dict[str, tuple[str, ...]] = {
    "cp1252": (*_WEST, "Estonian"),
    "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC,
    "cp1253": ("Greek",),
    "cp1254": ("Turkish", "German", "French"),
    "cp1255": ("Hebrew",),
    "cp1256": ("Arabic",),
    "cp1257": _BALTIC,
    "iso8859_15": (*_WEST, "Estonian"),
    "iso8859_2": _CENTRAL,
    "iso8859_5": _CYRILLIC,
    "iso8859_6": ("Arabic",),
    "iso8859_7": ("Greek",),
    "iso8859_8": ("Hebrew",),
    "iso8859_13": _BALTIC,
    "iso8859_16": ("Modern Romanian", "Polish", "Croatian", "Hungarian", "French", "German"),
    "mac_roman": _WEST,
    "cp850": _WEST,
    "mac_latin2": _CENTRAL,
    "cp852": _CENTRAL,
    "koi8_u": _CYRILLIC,
    "mac_cyrillic": _CYRILLIC,
    "cp866": _CYRILLIC,
    "mac_turkish": ("Turkish", "German", "French"),
    "mac_greek": ("Greek",),
    "cp737": ("Greek",),
    "cp857": ("Turkish",),
}
"""The encodings that programs have written lists in, the more common first, and the languages of each.

cp1252 contains ISO 8859-1, and cp1254 ISO 8859-9, apart from control characters.
"""

_BETWEEN = "’‘“”„«»‹›–—…\xa0'"
"""Marks that stand before, between and after words in any of these languages."""
_AFTER = "€°ºª•·®™©§№²³"
"""Marks that stand alone or after a word, never right before a letter."""
_ELIDED = frozenset({"l", "d", "qu", "n", "s", "m", "t", "c", "j", "o", "all", "dell", "nell", "dall", "un", "lorsqu"})
"""Words that an apostrophe follows in French, Italian, and Irish or English names."""

_ALPHABETS = {language: frozenset(letters + letters.upper()) for language, letters in (_LATIN | _OTHER).items()}
_SPOKEN = re.compile(r"[аеёєиіїоуўыэюяαεηιουωάέήίόύώϊϋΐΰ\u0590-\u06ff]")
"""Vowels; Hebrew and Arabic need none."""
_LETTERS = re.compile(r"[^\W\d_]+")
_MISPLACED = re.compile(rf"[{_AFTER}][^\W\d_]")
_IMPOSSIBLE = {
    "Turkish": re.compile(r"(^|[^aeıioöuüâîû])ğ", re.IGNORECASE),
    "Greek": re.compile(r"ς\w|\wσ$"),
    "Arabic": re.compile(r"[ىة]\w|^ء"),
    "Hebrew": re.compile(r"[ךםןףץ]\w"),
}
"""No word of these languages has this: it is of another one that the same bytes may stand for."""

_RARE = {"Icelandic": 0.9}
"""Ayþe may be Icelandic; that Ayşe is Turkish is more likely."""


def explained(words: Sequence[str], encoding: str) -> float:
    """How well words with letters beyond ASCII are explained by an encoding under which they read so: 0 to 1.

    Half of it is that each word is of some language, half that one language has most of them.
    """
    languages = ENCODINGS[encoding]
    shares: list[list[float]] = [[_share(word, language) for language in languages] for word in words]
    if not shares:
        return 0.0
    each = sum(map(max, shares))
    together = max(map(sum, zip(*shares, strict=True)))
    return (each + together) / (2 * len(words))


def _share(word: str, language: str) -> float:
    """1 for a word of this language, less where a mark stands oddly in it, 0 for what is none."""
    parts = _LETTERS.findall(word)
    if not set(_LETTERS.sub("", word)) <= set(_BETWEEN + _AFTER) or _MISPLACED.search(word):
        return 0.0
    if not all(part.isascii() or _is_word(part, language) for part in parts):
        return 0.0
    return _RARE.get(language, 1.0) if len(parts) < 2 or _may_be_joined(parts) else 0.4


def _is_word(part: str, language: str) -> bool:
    accented = [char for char in part if not char.isascii()]
    if not set(accented) <= _ALPHABETS[language] or not _is_cased(part):
        return False
    if language in _IMPOSSIBLE and _IMPOSSIBLE[language].search(part):
        return False
    if language in _OTHER:
        spoken = len(part) == 1 or part.isupper() or _SPOKEN.search(part.lower())
        return len(accented) == len(part) and bool(spoken)
    return not re.search(r"[^\x00-\x7f]{3}", part)


def _is_cased(part: str) -> bool:
    """Capitals stand at the beginning or everywhere; an accented one within a word is none ("JosŽ" for "José")."""
    return part.isupper() or not any(char.isupper() and not char.isascii() for char in part[1:])


def _may_be_joined(parts: Sequence[str]) -> bool:
    """Words that a mark joins: "l’Office", "group’s"; in others, the mark may have been a letter."""
    return parts[0].casefold() in _ELIDED or parts[-1].casefold() == "s"
