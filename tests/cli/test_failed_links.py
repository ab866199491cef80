"""`check` names what was typed as a link and would go out with its brackets."""

from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN
from tests.cli.conftest import Run
from tests.cli.test_translations import project, write

__all__ = ["project"]


@pytest.mark.parametrize(
    ("text", "line", "message", "mend"),
    [
        (
            "[the papers](https://x.example/sites/a/Shared Documents/a.docx)",
            14,
            "“[the papers](https://x.example/sites/a/Shared Documents/a.docx)” did not become a link",
            "Write %20 for each blank in the address.",
        ),
        ("- one\n- [a **b**\n  c](<file:///C:/x y.docx>)", 16, "did not become a link", "file: is on your own disk"),
        ("[g](file:///C:/x.docx)", 14, "“[g](file:///C:/x.docx)” did not become a link", "file: is on your own disk"),
        ("| a | b |\n|---|---|\n| x | [g](a b) |", 16, "“[g](a b)”", "%20"),
        ("```note\nSee\n[g](a b)\n```", 16, "“[g](a b)”", "%20"),
        ("![a chart](my chart.png)", 14, "did not become a picture", "%20"),
        ("[g](javascript:x)", 14, "did not become a link", "Write [words](https://...)."),
        ("{% if recipient.country == 'FR' %}\n[g](a b)\n{% endif %}\nHello", 15, "“[g](a b)”", "%20"),
    ],
)
def test_a_link_that_stays_text_is_an_error(
    run: Run, project: Path, text: str, line: int, message: str, mend: str
) -> None:
    assert run("contacts", "pull").code == 0
    write(project, {"campaign.md": f"{CAMPAIGN.rstrip()}\n{text}\n"})
    result = run("check", "letter", "--json")
    assert result.code == 1
    (found,) = [each for each in result.json["findings"] if each["level"] == "error"]
    assert message in found["message"]
    assert mend in found["mend"]
    assert found["where"] == f"campaigns/letter/campaign.md, line {line}"
