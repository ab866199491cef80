"""What the templates themselves say, in the language of the text: gettext catalogues, read through Babel.

`locale/<language>/LC_MESSAGES/` of this package has them: `mail.po` for mails, `pages.po` for web pages. A word that a
catalogue lacks is English.
"""

import functools
from collections.abc import Iterator
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal

LOCALE = Path(__file__).parents[2] / "locale"
SOURCE_LANGUAGE = "en"
"""The language in which templates are written."""

Domain = Literal["mail", "pages"]


@functools.cache
def catalogue_languages(domain: Domain = "mail") -> tuple[str, ...]:
    """The languages that have a catalogue, as language tags, in order."""
    found = LOCALE.glob(f"*/{_catalogue(domain)}")
    return tuple(sorted(path.parents[1].name.replace("_", "-") for path in found))


def catalogue_language(language: str, domain: Domain = "mail") -> str:
    """The catalogue that serves a language tag: its own, or that of the tag less its last part; "" for none.

    As in RFC 4647, section 3.4 (lookup): `pt-BR` is served by `pt`.
    """
    known = {tag.casefold(): tag for tag in catalogue_languages(domain)}
    return next((known[tag.casefold()] for tag in _shorter_and_shorter(language) if tag.casefold() in known), "")


def words_in(language: str, domain: Domain = "mail") -> NullTranslations:
    """The words of the nearest catalogue, with gettext's own methods; English where there is none."""
    return _words(catalogue_language(language, domain) or SOURCE_LANGUAGE, domain)


def direction_of(language: str) -> Literal["ltr", "rtl"]:
    """The direction in which a language is written."""
    from mlgroup_mail.content.language.localised import locale_of

    return "rtl" if locale_of(language).character_order == "right-to-left" else "ltr"


def _shorter_and_shorter(language: str) -> Iterator[str]:
    parts = language.split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def _catalogue(domain: Domain) -> Path:
    return Path("LC_MESSAGES") / f"{domain}.po"


@functools.cache
def _words(language: str, domain: Domain) -> NullTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (LOCALE / language.replace("-", "_") / _catalogue(domain)).open("rb") as file:
        catalogue = read_po(file, locale=language.replace("-", "_"), domain=domain)
    # What gettext reads, made in memory: so that no compiled file can be older than its text.
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
