"""The templates' own words exist in eleven languages, whole, and with every value in its place."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import mlgroup_mail
from mlgroup_mail.content.language.catalogues import (
    LOCALE,
    Domain,
    catalogue_language,
    catalogue_languages,
    direction_of,
    words_in,
)
from mlgroup_mail.content.message.merging import merge_html, merge_text
from mlgroup_mail.settings.project import Project, read_project
from mlgroup_mail.shipped import shipped
from tests.content.projects import FRONT, compiled, values

LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh")
_PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")
_QUOTES = {"de": "„“", "fr": "«»", "es": "«»", "it": "«»", "ru": "«»", "ar": "«»", "ja": "「」"}

Message = str | tuple[str, str]


both = pytest.mark.parametrize("domain", ["mail", "pages"])


@cache
def said(domain: Domain = "mail") -> frozenset[Message]:
    """Every message of the shipped templates of mails, or of pages; a tuple where a number decides."""
    found = extract_from_dir(
        shipped("templates"),
        [("**.j2", "jinja2.ext:babel_extract")],
        keywords={"_": None, "gettext": None, "ngettext": (1, 2)},
    )
    return frozenset(message for file, _, message, _, _ in found if file.startswith("pages/") is (domain == "pages"))


@cache
def catalogue(language: str, domain: Domain = "mail") -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def written(language: str, message: Message, domain: Domain = "mail") -> list[str]:
    """What a catalogue says for a message, in each of its forms."""
    entry = catalogue(language, domain).get(message)
    assert entry is not None, f"{language} lacks {message}"
    return list(entry.string) if isinstance(entry.string, tuple) else [str(entry.string)]


@both
def test_there_is_something_to_translate(domain: Domain) -> None:
    assert len(said(domain)) > 10


@both
def test_the_languages_of_the_group_are_there(domain: Domain) -> None:
    assert catalogue_languages(domain) == LANGUAGES


@both
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_message_and_no_other(language: str, domain: Domain) -> None:
    assert {entry.id for entry in catalogue(language, domain) if entry.id} == said(domain)
    assert not [entry.id for entry in catalogue(language, domain) if entry.fuzzy]
    for message in said(domain):
        assert all(form.strip() for form in written(language, message, domain)), message


@both
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_a_message_is_in_its_translation(language: str, domain: Domain) -> None:
    for message in said(domain):
        source = message[-1] if isinstance(message, tuple) else message
        for form in written(language, message, domain):
            assert sorted(_PLACEHOLDER.findall(form)) == sorted(_PLACEHOLDER.findall(source)), form


@both
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_nothing_was_left_in_english(language: str, domain: Domain) -> None:
    same = {message for message in said(domain) if message in written(language, message, domain)}
    # Words that happen to be spelt alike.
    assert same <= {"Panel", "Agenda", "Online", "Programme"}, same


@both
@pytest.mark.parametrize("language", _QUOTES)
def test_quotes_are_those_of_the_language(language: str, domain: Domain) -> None:
    forms = "".join(form for message in said(domain) for form in written(language, message, domain))
    assert all(mark in forms for mark in _QUOTES[language])
    assert '"' not in forms


@pytest.mark.parametrize(
    ("tag", "language"),
    [("pt-BR", "pt"), ("PT", "pt"), ("zh-Hans-CN", "zh"), ("en-GB", "en"), ("pl", ""), ("e", "")],
)
def test_a_region_is_served_by_its_language(tag: str, language: str) -> None:
    assert catalogue_language(tag) == language


def test_a_language_without_a_catalogue_gets_english() -> None:
    assert words_in("pl").gettext("Leave this topic") == "Leave this topic"
    assert words_in("pt-BR").gettext("Leave this topic") == "Deixar de receber este tema"


@pytest.mark.parametrize(("tag", "direction"), [("ar", "rtl"), ("he", "rtl"), ("fa-IR", "rtl"), ("ja", "ltr")])
def test_a_language_has_its_direction(tag: str, direction: str) -> None:
    assert direction_of(tag) == direction


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_parts_of_a_mail_speak_the_language_of_its_text(project: Project, language: str) -> None:
    message = compiled(project, front=FRONT.replace("\n\n", f'\nlanguage = "{language}"\n\n'))
    (words,) = written(language, "You can also write to %(address)s.")
    assert words % {"address": "ml-group@example.org"} in merge_text(message, values())
    (link,) = written(language, "Send us a prepared mail")
    assert f">{link}</a>" in merge_html(message, values())


def test_a_value_in_a_message_is_escaped(project: Project) -> None:
    path = project.root / "mlgroup.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('title = "Monthly newsletter"', "title = 'A <b> & “B”'"),
        encoding="utf-8",
    )
    message = compiled(read_project(project.root))
    assert "A &lt;b&gt; &amp; “B”" in message.html
    assert "A <b> & “B”" in message.text


def test_the_catalogues_lie_in_the_package_so_that_the_wheel_has_them() -> None:
    assert Path(mlgroup_mail.__file__).parent in LOCALE.parents
