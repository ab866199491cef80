"""Pictures of all kinds, to be looked at: at both widths, light, dark, images off, right to left, with hostile words.

python -m tests.content.show_kinds FOLDER
"""

import sys
import tempfile
from pathlib import Path

from mlgroup_mail.content.campaigns.campaign import CampaignKind
from tests.content.kinds import (
    ARABIC,
    ELSEWHERE,
    HOSTILE,
    LONG_NAME,
    LONG_WORD,
    rewritten,
    source_of,
    without_pictures,
    write_page,
)
from tests.servers.chromium import run_chromium

WIDTHS = (600, 375)


def write_pages(folder: Path) -> list[Path]:
    """Each kind's pages as files."""
    pages = []
    with tempfile.TemporaryDirectory() as written:
        root = Path(written)
        for kind in CampaignKind:
            sample = write_page(folder / f"{kind}.html", source_of(kind), ELSEWHERE)
            arabic = rewritten(kind, ARABIC, root, language="ar", title="أخبار المجموعة، أكتوبر 2021")
            hostile = rewritten(kind, HOSTILE, root, title=LONG_WORD)
            pages += [
                sample,
                without_pictures(sample),
                write_page(folder / f"{kind}-arabic.html", arabic, ELSEWHERE),
                write_page(folder / f"{kind}-hostile.html", hostile, name=LONG_NAME, organisation=LONG_WORD),
            ]
    return pages


def main(folder: Path) -> None:
    """Write the pages, and a picture of each at each width, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with run_chromium() as browser:
        for page in write_pages(folder):
            for width in WIDTHS:
                for dark in (False, True):
                    mode = "dark" if dark else "light"
                    browser.screenshot(page, folder / f"{page.stem}-{width}-{mode}.png", width=width, dark=dark)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
