"""Language tags (BCP 47): their one form, and which of several serves a reader best."""

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple


class _Subtags(NamedTuple):
    language: str
    script: str
    region: str


def known_tag(text: str) -> str:
    """A tag in its usual form: pt-BR for “pt-br”.

    Raises ValueError for what is none, and for a language in which Babel cannot write a date.
    """
    from babel import Locale, UnknownLocaleError
    from babel.core import parse_locale

    try:
        # Babel reads POSIX locales too, and takes "fr.old" for French in an encoding.
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", text):
            raise ValueError
        Locale.parse(text, sep="-")
        language, region, script, variant, *_ = parse_locale(text, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f"“{text}” is not a language tag such as en, en-GB or pt-BR") from None
    return "-".join(filter(None, (language, script, region, (variant or "").lower())))


def tag_meant(text: str) -> str:
    """The tag that a slip such as pt_BR or “french” was meant for; "" where there is no guess."""
    from babel import Locale

    try:
        return known_tag(text.replace("_", "-"))
    except ValueError:
        names = {name.lower(): tag.replace("_", "-") for tag, name in Locale("en").languages.items()}
        return str(names.get(text.lower(), ""))


def best_match(wanted: str, offered: Iterable[str]) -> str | None:
    """The one of `offered` that a reader of `wanted` reads best; of two as good, the first. None where none serves.

    Only the same language in the same script serves: Simplified Chinese is none for a reader in Taiwan. The same tag
    comes first, then what likely means the same (pt is Brazilian), then the nearest in CLDR's tree of locales (a
    reader in Angola gets pt-PT before pt-BR, one in Canada fr before fr-BE). Data: CLDR's likely subtags and parent
    locales, UTS 35.
    """
    reader = _likely(wanted)
    if reader is None:
        return None
    ranked = {tag: _distance(wanted, tag) for tag in offered if (found := _likely(tag)) and found[:2] == reader[:2]}
    return min(ranked, key=lambda tag: ranked[tag], default=None)


def _distance(wanted: str, offered: str) -> tuple[bool, bool, int, int]:
    up, down = _upwards(wanted), _upwards(offered)
    steps = next(((place, down.index(tag)) for place, tag in enumerate(up) if tag in down), (len(up), len(down)))
    return wanted.lower() != offered.lower(), _likely(wanted) != _likely(offered), *steps


@functools.cache
def _likely(tag: str) -> _Subtags | None:
    """Language, script and region that a tag most likely means; None for what is no tag, or of no known language.

    Bokmål and Nynorsk take after Norwegian, and count as it.
    """
    from babel.core import get_global

    found = _written(tag)
    likely = get_global("likely_subtags")
    if found is None:
        return None
    language, script, region = found
    for known in ((language, script, region), (language, region), (language, script), (language,)):
        if (full := likely.get("_".join(filter(None, known)))) and all(known):
            usual = _Subtags(*full.split("_"))
            root = _upwards(tag)[-1].partition("_")[0]
            return _Subtags(root, script or usual.script, region or usual.region)
    return None


@functools.cache
def _upwards(tag: str) -> list[str]:
    """A tag, the locale it takes after, and so on: es_MX, es_419, es."""
    from babel.core import get_global

    parents, found, chain = get_global("parent_exceptions"), _written(tag), []
    name = "_".join(filter(None, found or ()))
    while name and name != "root":
        chain.append(name)
        name = parents.get(name) or name.rpartition("_")[0]
    return chain


def _written(tag: str) -> _Subtags | None:
    """The parts of a tag with today's name of the language: he for iw."""
    from babel.core import get_global, parse_locale

    try:
        language, region, script, *_ = parse_locale(tag, sep="-")
    except ValueError:
        return None
    renamed, _, its_script = get_global("language_aliases").get(language, language).partition("_")
    return _Subtags(renamed, script or its_script, region or "")
