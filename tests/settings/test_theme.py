"""`[theme]`: colours that can be read, fonts that are there, logos that every mail program shows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.settings.project import read_project
from mlgroup_mail.settings.theme import FONTS, Theme, contrast, mixed
from mlgroup_mail.shipped import shipped
from tests.cli.conftest import Run

COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
LOGO = '\n[[theme.logo]]\nfile = "logos/ours.png"\nalt = "Ours"\n'


def theme_of(root: Path, table: str) -> Theme:
    """A project whose `[theme]` is this one."""
    before, _, rest = shipped("mlgroup.toml").read_text(encoding="utf-8").partition("[theme]")
    after = "[sender.newsletter]" + rest.partition("[sender.newsletter]")[2]
    (root / "mlgroup.toml").write_text(f"{before}[theme]\n{table}\n{after}", encoding="utf-8")
    return read_project(root).theme


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # Values of the WCAG working group's own examples, and the ends of the scale.
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_the_one_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.006)


@given(COLOURS, COLOURS)
def test_contrast_does_not_depend_on_the_order_and_lies_between_1_and_21(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.0001


@given(COLOURS, COLOURS)
def test_a_mixture_goes_from_the_ground_to_the_colour(one: str, other: str) -> None:
    assert mixed(one, other, 0) == other
    assert mixed(one, other, 1) == one


@pytest.mark.parametrize(
    ("key", "colour", "ratio"),
    [
        ("accent", "#777777", "on white is 4.47"),
        ("accent_dark", "#1f4e79", "on the dark ground #1b222a is 1.8"),
        ("text", "#999999", "on white is 2.84"),
        ("background", "#8090a0", "is 2.1"),
    ],
)
def test_a_colour_that_cannot_be_read_is_refused_with_key_and_ratio(
    run: Run, tmp_path: Path, key: str, colour: str, ratio: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        theme_of(tmp_path, f'{key} = "{colour}"')
    assert f"{key} = {colour} cannot be read well" in str(refused.value)
    assert ratio in str(refused.value)
    told = run("check", "letter")
    assert told.code == 2
    assert f"{key} = {colour}" in told.text


def test_a_colour_that_is_just_readable_is_taken(tmp_path: Path) -> None:
    assert theme_of(tmp_path, 'accent = "#767676"').accent == "#767676"


@pytest.mark.parametrize(
    ("written", "stack"),
    [
        *FONTS.items(),
        ("georgia", FONTS["Georgia"]),
        ("Segoe UI, 'Helvetica Neue', \\\"arial\\\"", "'Segoe UI', 'Helvetica Neue', Arial, sans-serif"),
        ("Garamond", "Garamond, serif"),
        ("Consolas", "Consolas, monospace"),
    ],
)
def test_a_font_is_a_name_or_a_stack_and_always_ends_with_a_generic_one(
    tmp_path: Path, written: str, stack: str
) -> None:
    assert theme_of(tmp_path, f'font = "{written}"').font == stack


@given(st.text(max_size=40))
def test_whatever_is_written_as_a_font_is_refused_or_made_of_known_names(written: str) -> None:
    try:
        stack = Theme(font=written).font
    except ValueError:
        return
    assert stack.endswith(("serif", "monospace"))
    assert not set(stack) & set('"<>;{}:')


@pytest.mark.parametrize("font", ["Comic Sans MS", "Roboto Slab, Arial", "", "Arial; color: red", "url(x)"])
def test_a_font_that_mail_programs_lack_is_refused_with_those_they_have(tmp_path: Path, font: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no font that mail programs have.*Arial, Verdana"):
        theme_of(tmp_path, f'font = "{font}"')


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("logos/ours.png", "../ours.png", "must lie in templates/"),
        ("logos/ours.png", "/ours.png", "must lie in templates/"),
        ("logos/ours.png", "logos/ours.svg", "every mail program shows"),
        ('alt = "Ours"', 'alt = ""', "“alt”"),
        ('alt = "Ours"', 'alt = "Ours"\nlink = "javascript:alert(1)"', "begins with https"),
        ('alt = "Ours"', 'alt = "Ours"\nwidth = 900', "“width”"),
        ('alt = "Ours"', 'alt = "Ours"\nheight = 9', "“height” is not known here"),
    ],
)
def test_a_logo_that_would_not_show_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert theme_of(tmp_path, LOGO).logo[0].file == "logos/ours.png"
    with pytest.raises(ConfigurationError) as refused:
        theme_of(tmp_path, LOGO.replace(old, new))
    assert message in str(refused.value)


def test_there_is_room_for_two_logos(tmp_path: Path) -> None:
    assert len(theme_of(tmp_path, LOGO * 2).logo) == 2
    with pytest.raises(ConfigurationError, match="logo"):
        theme_of(tmp_path, LOGO * 3)
