"""Blocks in a campaign, from the command line: slips are told with their line, and a public copy holds no secret."""

from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN, small_project
from tests.cli.conftest import Run

SECRET = "https://forms.example.org/for-members"
EVENTS = """\
- id: all-group
  title: All-group meeting
  start: 2099-11-27 14:00 Europe/London
  joining_link: https://meet.example.org/for-members
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = small_project(tmp_path)
    (root / "campaigns" / "events.yaml").write_text(EVENTS, encoding="utf-8")
    return root


def write(project: Path, text: str) -> int:
    """Write the small project's letter with another text; the line it begins on."""
    front = CAMPAIGN.partition("\n+++\n")[0] + "\n+++\n"
    (project / "campaigns" / "letter" / "campaign.md").write_text(front + text, encoding="utf-8")
    return front.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Hello.\n\n```buton\n[x](https://a.example)\n```\n", 2, "Did you mean “button”?"),
        ("Hello.\n\n```event\nall-grup\n```\n", 3, "Did you mean “all-group”?"),
        ("{% for n in [1] %}\nHello.\n\n```button\nClick here\n```\n{% endfor %}\n", 4, "one link a line"),
        ("![](chart.png)\n", 0, "Write what the picture shows"),
        ("```speaker\nname: Ana\nphoto: ana.png\n```\n", 2, "Put the file beside campaign.md"),
    ],
)
def test_a_slip_in_a_block_is_told_with_its_line(project: Path, run: Run, text: str, line: int, said: str) -> None:
    first = write(project, text)
    found = run("--project", project, "check", "letter")
    assert found.code == 1
    assert f"campaigns/letter/campaign.md, line {first + line}" in found.text
    assert said in found.text


def test_a_link_for_members_only_that_stands_in_the_open_blocks_approval(project: Path, run: Run) -> None:
    first = write(project, f"```button members_only\n[Form]({SECRET})\n```\n\nThe [form]({SECRET}) again.\n")
    (finding,) = leaks(project, run)
    assert (finding["level"], finding["where"]) == ("error", f"campaigns/letter/campaign.md, line {first + 4}")
    write(
        project, f"````members_only\n```button\n[Form]({SECRET})\n```\n\nThe [form]({SECRET}) again.\n````\n\nHello.\n"
    )
    assert leaks(project, run) == []


def leaks(project: Path, run: Run) -> list[dict[str, str]]:
    found = run("--project", project, "check", "letter", "--json").json["findings"]
    return [each for each in found if each["rule"] == "members-only-link"]


def test_a_public_copy_has_no_secret_and_names_nobody(project: Path, run: Run, tmp_path: Path) -> None:
    write(
        project,
        'Dear {{ recipient.first_name | default("colleague") }},\n\n'
        f"```button members_only\n[Form]({SECRET})\n```\n\n```event\nall-group\n```\n\n"
        "[Leave]({{ links.opt_out }}).\n",
    )
    out = tmp_path / "copies"
    found = run("--project", project, "preview", "letter", "--public", "--out", out)
    assert found.code == 0
    files = {path.name for path in out.rglob("*") if path.is_file()}
    assert files == {"issue-public.html", "issue-public.txt"}
    for path in out.rglob("*-public.*"):
        text = path.read_text(encoding="utf-8")
        assert "Dear colleague," in text
        assert "All-group meeting" in text
        for secret in ("for-members", "mailto:", "/o/", "preview"):
            assert secret not in text
    run("--project", project, "preview", "letter", "--out", out)
    assert SECRET in next(out.rglob("issue.html")).read_text(encoding="utf-8")


def test_a_translation_has_a_public_copy_of_its_own(project: Path, run: Run, tmp_path: Path) -> None:
    write(project, "Hello.\n")
    (project / "campaigns" / "letter" / "campaign.fr.md").write_text(
        '+++\nsubject = "Nouvelles"\n+++\nBonjour.\n', encoding="utf-8"
    )
    out = tmp_path / "copies"
    assert run("--project", project, "preview", "letter", "--public", "--out", out).code == 0
    assert "Bonjour." in next(out.rglob("issue-public.fr.txt")).read_text(encoding="utf-8")


def test_a_public_copy_is_for_nobody_in_particular(project: Path, run: Run) -> None:
    found = run("--project", project, "preview", "letter", "--public", "--as", "ana@example.org")
    assert found.code == 2
    assert "Give one of the two" in found.text
