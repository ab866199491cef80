"""The pages as readers meet them in a browser: valid, accessible, readable at every width, by day and at night."""

from pathlib import Path
from typing import Any

import html5lib
import pytest

from tests.content.test_pages import AXE, WCAG_AA
from tests.servers.chromium import Chromium
from tests.web.show_pages import LANGUAGES, LONG, STEPS, WIDTHS, ready, write_pages

light_and_dark = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
every_width = pytest.mark.parametrize("width", WIDTHS)
every_step = pytest.mark.parametrize("step", STEPS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each step in three languages; in `long/` with a topic whose title is one word of 80 letters."""
    folder = tmp_path_factory.mktemp("pages")
    write_pages(folder, ready(tmp_path_factory.mktemp("group")))
    write_pages(folder / "long", ready(tmp_path_factory.mktemp("long"), topic_title=LONG))
    return folder


def violations(found: dict[str, Any]) -> list[str]:
    """What axe finds, and what it could not decide about contrast."""
    undecided = [entry for entry in found["incomplete"] if entry["id"] == "color-contrast"]
    assert "color-contrast" in {entry["id"] for entry in found["passes"]}
    return [
        f"{entry['id']}: {node['html'][:200]} {node['failureSummary']}"
        for entry in (*found["violations"], *undecided)
        for node in entry["nodes"]
    ]


@every_step
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_valid_html(written: Path, step: str, language: str) -> None:
    parser = html5lib.HTMLParser()
    parser.parse((written / f"{step}-{language}.html").read_text(encoding="utf-8"))
    assert parser.errors == []


@every_step
@light_and_dark
@every_width
@pytest.mark.parametrize("language", ["en", "ar"], ids=["ltr", "rtl"])
def test_axe_finds_nothing_and_nothing_stands_out_to_the_side(
    written: Path, chromium: Chromium, step: str, dark: bool, width: int, language: str
) -> None:
    script = f"""(async () => {{
        {AXE};
        const axed = await axe.run(document, {{runOnly: {[*WCAG_AA, "best-practice"]}}});
        return {{
            axed,
            outside: [...document.querySelectorAll("body *")].filter(each => {{
                const box = each.getBoundingClientRect();
                return box.width && (box.right > innerWidth + 1 || box.left < -1);
            }}).map(each => each.outerHTML.slice(0, 100)),
        }};
    }})()"""
    found = chromium.evaluate(written / f"{step}-{language}.html", script, width=width, dark=dark)
    assert violations(found["axed"]) == []
    assert found["outside"] == []


@pytest.mark.parametrize("step", ["page", "left-topic", "back"])
@pytest.mark.parametrize("width", [320, *WIDTHS])
def test_a_title_of_one_long_word_breaks(written: Path, chromium: Chromium, step: str, width: int) -> None:
    found = chromium.evaluate(
        written / "long" / f"{step}-en.html",
        "[document.documentElement.scrollWidth, document.body.innerText.includes('Donaudampf')]",
        width=width,
    )
    assert found[0] <= width
    assert found[1]


@every_step
def test_text_is_large_enough_and_buttons_can_be_hit_and_seen(written: Path, chromium: Chromium, step: str) -> None:
    found = chromium.evaluate(
        written / f"{step}-en.html",
        """({
            small: [...document.querySelectorAll("body *")].filter(each => each.offsetWidth &&
                parseFloat(getComputedStyle(each).fontSize) < 15).map(each => each.outerHTML),
            low: [...document.querySelectorAll("button")].filter(each => each.offsetHeight < 44).length,
            headings: [...document.querySelectorAll("h1")].length,
        })""",
        width=375,
    )
    assert found == {"small": [], "low": 0, "headings": 1}


def test_right_to_left_turns_the_page_round(written: Path, chromium: Chromium) -> None:
    found = chromium.evaluate(
        written / "page-ar.html",
        """(() => {
            const logos = [...document.images].map(each => each.getBoundingClientRect().left);
            return [getComputedStyle(document.querySelector("h1")).direction, logos[0] > logos[1]];
        })()""",
    )
    assert found == ["rtl", True]


@light_and_dark
def test_the_logo_of_the_mode_is_the_one_that_is_seen(written: Path, chromium: Chromium, dark: bool) -> None:
    light, night = (
        chromium.evaluate(written / "page-en.html", "[...document.images].map(each => each.currentSrc)", dark=mode)
        for mode in (dark, not dark)
    )
    assert not set(light) & set(night)
