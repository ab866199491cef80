"""Golden files: one sample of each kind, whole, as one reader gets it.

They are few, so that a change in them is looked at: open the HTML in a browser before committing it. After a change
that is meant, write them anew with

    python -m tests.content.golden_files
"""

from pathlib import Path

from mlgroup_mail.content.campaigns.campaign import CampaignKind
from mlgroup_mail.content.compiling.courtesy import compile_courtesy
from mlgroup_mail.model import CompiledMessage
from mlgroup_mail.settings.project import read_project
from mlgroup_mail.shipped import shipped
from tests.content.kinds import ELSEWHERE, page_of, source_of, text_of

COURTESIES = ("confirmation", "welcome")
FOLDER = Path(__file__).parent / "golden"


def golden_files() -> dict[str, str]:
    """Each file's name, and what it must hold."""
    found = {}
    for kind in CampaignKind:
        source = source_of(kind)
        found[f"{kind}.html"] = page_of(source, ELSEWHERE)
        found[f"{kind}.txt"] = text_of(source, ELSEWHERE)
    for name in COURTESIES:
        compiled = courtesy(name)
        found |= {f"{name}.html": compiled.html, f"{name}.txt": compiled.text}
    return found


def courtesy(name: str) -> CompiledMessage:
    """A mail that answers one person, in English, for the sample group."""
    project = read_project(shipped("mlgroup.toml").parent)
    values = {
        "link": "https://mail.example.org/link",
        "opt_out": "https://mail.example.org/opt-out",
        "topics": "Monthly newsletter · All-group meetings",
        "days": 7,
    }
    sender = project.sender("newsletter")
    return compile_courtesy(project, name, language="en", sender=sender, values=values).compiled


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in golden_files().items():
        (FOLDER / name).write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
