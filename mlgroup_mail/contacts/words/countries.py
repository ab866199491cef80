"""Countries, read from the names and codes that people use for them."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from mlgroup_mail.contacts.words.locales import FIRST_LOCALES, WIDE_LOCALES, own_languages
from mlgroup_mail.contacts.words.texts import TextError, plain
from mlgroup_mail.contacts.words.wordlists import unmistakable, wordlist

if TYPE_CHECKING:
    from babel import Locale

_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
"""What Babel lists beside the countries of ISO 3166 (and Kosovo's XK): unions, islands, test codes."""

_UNKNOWN = "this country is not known"
_SMALL_WORDS = frozenset({"the", "and", "et", "und", "y"})
_SHORT_NUMBER = re.compile(r"\d{1,2}")
_PARTS = re.compile(r"[()\[\],;/|]|\s[-–—]\s")
_MOST_PARTS = 12
"""So many parts has the longest name with commas and brackets, beside its codes, by far."""
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
"""German letters as they are typed where the keyboard lacks them."""
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_BRITISH_FLAG = re.compile("\U0001f3f4\U000e0067\U000e0062[\U000e0061-\U000e007a]{3}\U000e007f")


def find_country(text: str) -> str:
    """The ISO 3166 alpha-2 code of a country's name or code; empty where it is not known."""
    try:
        return read_country(text)
    except TextError:
        return ""


def read_country(text: str) -> str:
    """The ISO 3166 alpha-2 code of a country's name, code or flag, also of several that mean one ("Germany (DE)").

    Names are looked for in English, French, Spanish and German, then in the languages of the United Nations, the
    European Union and the country itself; XK is Kosovo. Raises TextError saying why this is no country, or not one.
    """
    text = _BRITISH_FLAG.sub("GB", _FLAG.sub(_flag_letters, text))
    if code := _code(text):
        return code
    if _SHORT_NUMBER.fullmatch(text.strip()):
        raise TextError("a code of three digits that lost its zeros, or a telephone prefix: write the country’s name")
    codes = _codes(text)
    if len(codes) > 1:
        raise TextError("more than one country stands here")
    if not codes:
        raise TextError(_unclear().get(_words(text), _UNKNOWN))
    return codes.pop()


def country_remark(text: str) -> str:
    """What to tell about a name that is read, though it may mean another country; mostly nothing."""
    return _remarks().get(_words(text), "")


def _codes(text: str) -> set[str]:
    """What the parts of a text say that each name a country; nothing where some part does not, or there are many.

    A name may have commas and brackets itself, so parts that stand together may name one: the longest are tried last.
    """
    parts = [part for part in _PARTS.split(text) if plain(part)]
    if len(parts) > _MOST_PARTS:
        return set()
    # What is named from each part to the end, from the last one on: each run of parts is looked up once.
    named: list[set[str]] = [set() for _ in parts]
    for start in reversed(range(len(parts))):
        if code := _code(", ".join(parts[start:])):
            named[start] = {code}
            continue
        for end in range(start + 1, len(parts)):
            if named[end] and (code := _code(", ".join(parts[start:end]))):
                named[start] = {code} | named[end]
                break
    return named[0] if parts else set()


def _code(text: str) -> str:
    words = _words(text)
    if words in _unclear():
        return ""
    # The further names take a few tenths of a second to load, the last ones most of it; most lists need neither.
    return _names().get(words) or _wide_names().get(words) or _local_names().get(words, "")


def _words(text: str) -> str:
    """A country's name for comparing: "the", "and" and "&" make no difference, and "St." is "Saint"."""
    written = plain(text).split()
    words = [word for word in written if word not in _SMALL_WORDS] or written
    return " ".join("saint" if word == "st" and words[1:] else word for word in words)


def _flag_letters(flag: re.Match[str]) -> str:
    return f"{''.join(chr(ord(sign) - 0x1F1E6 + ord('A')) for sign in flag[0])}, "


def _is_country(code: str) -> bool:
    return len(code) == len("GB") and code.isalpha() and code not in _NO_COUNTRIES


@cache
def _names() -> dict[str, str]:
    """What most lists hold: codes, names by ISO and in four languages, and those of `countries.toml`."""
    import pycountry
    from babel import Locale
    from babel.core import get_global

    names: dict[str, str] = {}
    for locale in reversed(FIRST_LOCALES):
        names |= {_words(name): code for code, name in _territories(Locale(locale))}
    names = {_words(name.translate(_DIGRAPHS)): code for code, name in _territories(Locale("de"))} | names
    countries = list(pycountry.countries)
    for country in countries:
        named = (getattr(country, key, "") for key in ("official_name", "common_name", "name", "alpha_3", "numeric"))
        names |= {_words(name): country.alpha_2 for name in named if name}
    codes = {country.alpha_2 for country in countries}
    formerly = get_global("territory_aliases").items()
    names |= {old.casefold(): new[0] for old, new in formerly if len(new) == 1 and new[0] in codes}
    names |= {code.casefold(): code for code in codes | {"XK"}}
    names |= {_words(name): code for code, listed in wordlist("countries")["names"].items() for name in listed}
    return names


@cache
def _local_names() -> dict[str, str]:
    """Each country's names in its own languages, in use or official; what would mean two countries is left out."""
    spoken = own_languages().items()
    return unmistakable(
        (_words(name), code) for locale, codes in spoken for code, name in _territories(locale) if code in codes
    )


@cache
def _wide_names() -> dict[str, str]:
    """All countries' names in many languages, and their official ones in French, Spanish and German."""
    from babel import Locale

    named = [(name, code) for locale in WIDE_LOCALES for code, name in _territories(Locale.parse(locale))]
    return unmistakable((_words(name), code) for name, code in (*named, *_official_names()))


def _official_names() -> Iterator[tuple[str, str]]:
    import gettext

    import pycountry

    for language in ("fr", "es", "de"):
        translated = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]).gettext
        for country in pycountry.countries:
            for key in ("name", "common_name", "official_name"):
                if name := getattr(country, key, ""):
                    yield translated(name), country.alpha_2


def _territories(locale: "Locale") -> Iterator[tuple[str, str]]:
    """The codes and names of the countries, as a language has them."""
    for code, name in locale.territories.items():
        if _is_country(code):
            yield code, str(name)


@cache
def _unclear() -> dict[str, str]:
    return {_words(name): reason for reason, names in wordlist("countries")["unclear"].items() for name in names}


@cache
def _remarks() -> dict[str, str]:
    return {_words(name): remark for name, remark in wordlist("countries")["remarks"].items()}
