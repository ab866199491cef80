"""Golden files: one sample of each kind, whole, as one reader gets it.

They are few, so that a change in them is looked at: open the HTML in a browser before committing it. After a change
that is meant, write them anew with

    python -m tests.content.golden_files
"""

from pathlib import Path

from mlgroup_mail.content.campaigns.campaign import CampaignKind
from tests.content.kinds import ELSEWHERE, page_of, source_of, text_of

FOLDER = Path(__file__).parent / "golden"


def golden_files() -> dict[str, str]:
    """Each file's name, and what it must hold."""
    found = {}
    for kind in CampaignKind:
        source = source_of(kind)
        found[f"{kind}.html"] = page_of(source, ELSEWHERE)
        found[f"{kind}.txt"] = text_of(source, ELSEWHERE)
    return found


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in golden_files().items():
        (FOLDER / name).write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
