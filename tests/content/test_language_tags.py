"""A reader gets the text they read best: the same language in the same script, the nearest region first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.language_tags import best_match, known_tag, tag_meant


@pytest.mark.parametrize(
    ("reader", "offered", "best"),
    [
        ("fr", ["en", "fr"], "fr"),
        ("FR", ["en", "fr"], "fr"),
        ("fr-CA", ["en", "fr"], "fr"),
        ("fr-CA", ["fr-BE", "fr"], "fr"),
        ("fr-CA", ["fr-BE", "fr", "fr-CA"], "fr-CA"),
        ("fr", ["fr-FR", "fr"], "fr"),
        ("fr-FR", ["fr", "fr-FR"], "fr-FR"),
        ("pt", ["en", "pt-BR"], "pt-BR"),
        ("pt", ["pt-PT", "pt-BR"], "pt-BR"),
        ("pt-PT", ["pt-BR", "pt-PT"], "pt-PT"),
        ("pt-AO", ["pt-BR", "pt-PT"], "pt-PT"),
        ("es-MX", ["es", "es-419"], "es-419"),
        ("es-MX", ["es-ES"], "es-ES"),
        ("zh-TW", ["en", "zh-CN"], None),
        ("zh-TW", ["zh-CN", "zh-Hant"], "zh-Hant"),
        ("zh-HK", ["zh-CN", "zh-TW"], "zh-TW"),
        ("zh", ["zh-Hant", "zh-Hans"], "zh-Hans"),
        ("zh-CN", ["zh-TW", "zh"], "zh"),
        ("zh-Hans-SG", ["zh-TW", "zh-CN"], "zh-CN"),
        ("sr", ["sr-Latn"], None),
        ("sr", ["sr-Latn", "sr-Cyrl"], "sr-Cyrl"),
        ("sr-Latn", ["sr", "sr-Latn"], "sr-Latn"),
        ("sr-ME", ["sr", "sr-Latn"], "sr-Latn"),
        ("no", ["en", "nb"], "nb"),
        ("nb", ["en", "no"], "no"),
        ("nn", ["nb", "nn"], "nn"),
        ("nn", ["en", "nb"], "nb"),
        ("iw", ["he"], "he"),
        ("en-US", ["en-GB", "fr"], "en-GB"),
        ("en-AU", ["en-US", "en-GB"], "en-GB"),
        ("de", ["en", "fr"], None),
        ("la", ["en"], None),
        ("", ["en"], None),
        ("und", ["en"], None),
        ("klingon", ["en"], None),
        ("x-private", ["en"], None),
        ("{{7*7}}", ["en"], None),
        ("fr", [], None),
    ],
)
def test_the_nearest_text_of_the_readers_language_and_script_is_best(
    reader: str, offered: list[str], best: str | None
) -> None:
    assert best_match(reader, offered) == best


@given(st.text(max_size=20), st.lists(st.sampled_from(["en", "fr", "pt-BR", "zh-Hant", "sr-Latn", "nb"]), unique=True))
def test_whatever_a_list_has_for_a_language_is_answered(reader: str, offered: list[str]) -> None:
    assert best_match(reader, offered) in {*offered, None}


@given(
    st.sampled_from(["fr", "fr-CA", "pt", "pt-AO", "zh", "zh-TW", "sr-ME", "nn", "en-AU", "es-MX"]),
    st.permutations(["en", "en-GB", "fr-BE", "fr", "pt-BR", "pt-PT", "zh-CN", "zh-Hant", "sr", "sr-Latn", "nb", "es"]),
)
def test_the_order_of_the_files_decides_nothing(reader: str, offered: list[str]) -> None:
    assert best_match(reader, offered) == best_match(reader, sorted(offered))


@pytest.mark.parametrize(
    ("written", "tag"),
    [("fr", "fr"), ("pt-br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("EN", "en")],
)
def test_a_tag_has_one_form(written: str, tag: str) -> None:
    assert known_tag(written) == tag


@pytest.mark.parametrize("text", ["", "klingon", "french", "pt_BR", "draft", "1", "fr.md", "zxx"])
def test_what_is_no_language_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="language tag"):
        known_tag(text)


@pytest.mark.parametrize(("text", "tag"), [("pt_BR", "pt-BR"), ("French", "fr"), ("german", "de"), ("draft", "")])
def test_a_slip_brings_what_was_meant(text: str, tag: str) -> None:
    assert tag_meant(text) == tag
