"""The pages of all kinds as mail programs and their readers meet them: valid, accessible, readable everywhere."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import axe_core_python
import html5lib
import pytest
from PIL import Image

from mlgroup_mail.content.campaigns.campaign import CampaignKind
from mlgroup_mail.settings.theme import DARK_CARD, LIGHT_CARD, contrast
from tests.content.kinds import (
    ARABIC,
    ELSEWHERE,
    HOSTILE,
    LONG_NAME,
    LONG_WORD,
    page_of,
    rewritten,
    source_of,
    without_pictures,
    write_page,
)
from tests.servers.chromium import Chromium

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
NARROW, WIDE = 375, 600

every_kind = pytest.mark.parametrize("kind", CampaignKind)
light_and_dark = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each kind's sample, with hostile words and names, in Arabic, and without pictures."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for kind in CampaignKind:
        found[kind] = write_page(folder / f"{kind}.html", source_of(kind), ELSEWHERE)
        hostile = rewritten(kind, HOSTILE, folder, title=LONG_WORD)
        found[f"{kind} hostile"] = write_page(
            folder / f"{kind}-hostile.html", hostile, ELSEWHERE, name=LONG_NAME, organisation=LONG_WORD
        )
        arabic = rewritten(kind, ARABIC, folder, language="ar", title="أخبار المجموعة، أكتوبر 2021")
        found[f"{kind} arabic"] = write_page(folder / f"{kind}-arabic.html", arabic, ELSEWHERE)
        found[f"{kind} images off"] = without_pictures(found[kind])
    return found


def violations(chromium: Chromium, page: Path, *, width: int, dark: bool) -> list[str]:
    """What axe finds against WCAG AA, and what it could not decide about contrast."""
    found: dict[str, Any] = chromium.evaluate(
        page, f"{AXE}; axe.run(document, {{runOnly: {WCAG_AA}}})", width=width, dark=dark
    )
    undecided = [entry for entry in found["incomplete"] if entry["id"] == "color-contrast"]
    assert "color-contrast" in {entry["id"] for entry in found["passes"]}
    return [
        f"{entry['id']}: {node['html'][:200]} {node['failureSummary']}"
        for entry in (*found["violations"], *undecided)
        for node in entry["nodes"]
    ]


@every_kind
def test_a_page_is_valid_html(kind: CampaignKind) -> None:
    parser = html5lib.HTMLParser()
    parser.parse(page_of(source_of(kind), ELSEWHERE))
    assert parser.errors == []


@every_kind
def test_a_page_is_far_from_where_gmail_cuts_it_off(kind: CampaignKind) -> None:
    assert len(page_of(source_of(kind), ELSEWHERE).encode()) < 45_000


@every_kind
def test_what_outlook_reads_between_comments_is_whole(kind: CampaignKind) -> None:
    """Its tables open in one conditional comment and close in another."""
    page = page_of(source_of(kind), ELSEWHERE)
    assert page.count("<!--[if") == page.count("<![endif]") > 20
    parts = re.findall(r"<!--\[if [^\]]*(?:mso|IE)[^\]]*\]>(.*?)<!\[endif\]-->", page, re.DOTALL)
    assert len(parts) > 20
    opened = Counter(re.findall(r"<(table|tr|td)\b", "".join(parts)))
    closed = Counter(re.findall(r"</(table|tr|td)>", "".join(parts)))
    assert opened == closed
    assert opened["table"] > 10
    assert "<o:PixelsPerInch>96" in page


@every_kind
def test_a_screen_reader_meets_one_heading_of_the_first_rank_and_no_layout_tables(
    kind: CampaignKind, chromium: Chromium, pages: dict[str, Path]
) -> None:
    found = chromium.evaluate(
        pages[kind],
        """({
            h1: document.querySelectorAll("h1").length,
            ranks: [...document.querySelectorAll("h1, h2, h3, h4")].map(each => Number(each.tagName[1])),
            layout: [...document.querySelectorAll("table:not([role=presentation]):not(.data)")].length,
            article: document.querySelector("[role=article]").lang + " " + document.documentElement.lang,
            schemes: document.querySelector("meta[name=color-scheme]").content,
        })""",
    )
    assert found["h1"] == 1
    assert found["ranks"][0] == 1
    assert all(after <= before + 1 for before, after in zip(found["ranks"], found["ranks"][1:], strict=False))
    assert found["layout"] == 0
    assert found["article"] == "en-GB en-GB"
    assert found["schemes"] == "light dark"


@every_kind
@light_and_dark
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_axe_finds_nothing_against_wcag_aa(
    kind: CampaignKind, dark: bool, width: int, chromium: Chromium, pages: dict[str, Path]
) -> None:
    assert violations(chromium, pages[kind], width=width, dark=dark) == []


@light_and_dark
@pytest.mark.parametrize("form", ["hostile", "arabic", "images off"])
def test_axe_finds_nothing_in_other_words_either(
    form: str, dark: bool, chromium: Chromium, pages: dict[str, Path]
) -> None:
    assert violations(chromium, pages[f"{CampaignKind.INVITATION} {form}"], width=NARROW, dark=dark) == []


@every_kind
@pytest.mark.parametrize(
    ("form", "width"),
    [("", 320), ("", NARROW), (" hostile", NARROW), (" hostile", WIDE), (" arabic", NARROW), (" images off", 320)],
)
def test_nothing_stands_out_to_the_side(
    kind: CampaignKind, form: str, width: int, chromium: Chromium, pages: dict[str, Path]
) -> None:
    """Names of 60 characters and words of 80 break; tables stand as lists where they are too wide."""
    found = chromium.evaluate(
        pages[f"{kind}{form}"],
        """({
            page: document.documentElement.scrollWidth,
            outside: [...document.querySelectorAll("body *")].filter(each => {
                const box = each.getBoundingClientRect();
                return box.width && (box.right > innerWidth + 1 || box.left < -1);
            }).map(each => each.outerHTML.slice(0, 100)),
        })""",
        width=width,
    )
    assert found["outside"] == []
    assert found["page"] <= width


@every_kind
def test_in_dark_mode_the_page_is_dark_and_in_the_light_it_is_light(
    kind: CampaignKind, chromium: Chromium, pages: dict[str, Path], tmp_path: Path
) -> None:
    """A single part that stays white at night blinds: next to nothing may be bright."""
    shares = {}
    for dark in (False, True):
        picture = Image.open(chromium.screenshot(pages[kind], tmp_path / "page.png", width=WIDE, dark=dark))
        counts = picture.convert("L").histogram()
        shares[dark] = sum(counts[200:]) / sum(counts)
    assert shares[True] < 0.06
    assert shares[False] > 0.6


@every_kind
def test_the_logo_of_the_mode_is_the_one_that_is_seen(
    kind: CampaignKind, chromium: Chromium, pages: dict[str, Path]
) -> None:
    seen = '[...document.querySelectorAll(".logos img")].filter(each => each.offsetWidth).map(each => each.className)'
    assert chromium.evaluate(pages[kind], seen, dark=False) == ["in-light"] * 2
    assert chromium.evaluate(pages[kind], seen, dark=True) == ["in-dark"] * 2


@light_and_dark
def test_without_pictures_their_words_can_be_read(dark: bool, chromium: Chromium, pages: dict[str, Path]) -> None:
    found = chromium.evaluate(
        pages[f"{CampaignKind.NEWSLETTER} images off"],
        """[...document.querySelectorAll(".logos img")].filter(each => each.offsetWidth).map(each => ({
            words: each.alt, colour: getComputedStyle(each).color, size: parseFloat(getComputedStyle(each).fontSize),
        }))""",
        dark=dark,
    )
    assert [each["words"] for each in found] == ["Host One Statistics", "Host Two Commission"]
    for each in found:
        red, green, blue = map(int, re.findall(r"\d+", each["colour"])[:3])
        assert contrast(f"#{red:02x}{green:02x}{blue:02x}", DARK_CARD if dark else LIGHT_CARD) >= 4.5
        assert each["size"] >= 14


@every_kind
def test_text_is_large_enough_links_look_like_links_and_buttons_can_be_hit(
    kind: CampaignKind, chromium: Chromium, pages: dict[str, Path]
) -> None:
    found = chromium.evaluate(
        pages[kind],
        """(() => {
            const shown = each => each.offsetWidth && each.offsetHeight;
            const texts = [...document.querySelectorAll("body *")].filter(each => shown(each) &&
                [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
            const links = [...document.querySelectorAll("a")].filter(shown);
            const buttons = links.filter(each => each.closest(".button"));
            return {
                smallest: Math.min(...texts.map(each => parseFloat(getComputedStyle(each).fontSize))),
                bare: links.filter(each => !each.closest(".button") && !each.querySelector("img") &&
                    !getComputedStyle(each).textDecorationLine.includes("underline")).map(each => each.outerHTML),
                low: buttons.filter(each => each.getBoundingClientRect().height < 44).map(each => each.outerHTML),
                links: links.length,
            };
        })()""",
        width=NARROW,
    )
    assert found["smallest"] >= 14
    assert found["links"] >= 2
    assert found["bare"] == []
    assert found["low"] == []


@every_kind
def test_the_line_beside_the_subject_ends_with_the_preheader(
    kind: CampaignKind, chromium: Chromium, pages: dict[str, Path]
) -> None:
    """Behind it stands what takes room and shows nothing; on the page itself none of it is seen."""
    source = source_of(kind)
    body = chromium.evaluate(pages[kind], "({all: document.body.textContent, seen: document.body.innerText})")
    beginning = body["all"].strip()
    assert beginning.startswith(source.preheader)
    rest = beginning.removeprefix(source.preheader)
    assert re.match(r"[\u034f\u200c\u00a0\s]{200}", rest)
    assert source.preheader not in body["seen"]


@every_kind
def test_right_to_left_turns_the_page_round(kind: CampaignKind, chromium: Chromium, pages: dict[str, Path]) -> None:
    found = chromium.evaluate(
        pages[f"{kind} arabic"],
        """(() => {
            const style = name => getComputedStyle(document.querySelector(name));
            const logos = [...document.querySelectorAll(".logos img")].filter(each => each.offsetWidth);
            return {
                direction: [document.documentElement.dir, document.querySelector("[role=article]").dir],
                text: [...document.querySelectorAll("h1, h2, .body p, .body td, .foot p")].map(
                    each => getComputedStyle(each).direction + getComputedStyle(each).textAlign),
                list: [style("ul").paddingRight, style("ul").paddingLeft],
                quote: [style("blockquote").borderRightWidth, style("blockquote").borderLeftWidth],
                firstLogoIsRight: logos[0].getBoundingClientRect().left > logos[1].getBoundingClientRect().right,
            };
        })()""",
    )
    assert found["direction"] == ["rtl", "rtl"]
    assert set(found["text"]) == {"rtlright"}
    assert found["list"] == ["24px", "0px"]
    assert found["quote"] == ["3px", "0px"]
    assert found["firstLogoIsRight"]


def test_outlook_is_told_the_side_too(tmp_path: Path) -> None:
    """It reads the attribute of a cell rather than its style."""
    arabic = page_of(rewritten(CampaignKind.NEWSLETTER, ARABIC, tmp_path, language="ar"))
    cells = re.findall(r'<td align="(\w+)" class="copy', arabic)
    assert cells.count("right") > 5
    # The second logo stands at the end of its line.
    assert cells.count("left") == 1
