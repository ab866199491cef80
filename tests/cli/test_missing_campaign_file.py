"""A folder without `campaign.md`, and files whose names miss what they are meant as, are told with the mend."""

from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN
from tests.cli.conftest import Run
from tests.cli.test_translations import FRENCH, project, write

__all__ = ["project"]


@pytest.mark.parametrize("command", [("new", "newsletter", "z"), ("check", "z"), ("preview", "z")])
@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("", "mlgroup-mail new KIND z"),
        ("Campaign.md", "Rename Campaign.md to campaign.md."),
        ("campaign.md.txt", "Rename campaign.md.txt to campaign.md. Windows hides the ending .txt"),
    ],
)
def test_a_folder_without_its_campaign_file_is_told_as_what_it_is(
    run: Run, project: Path, command: tuple[str, ...], name: str, mend: str
) -> None:
    folder = project / "campaigns" / "z"
    folder.mkdir()
    if name:
        (folder / name).write_text("Hello", encoding="utf-8")
    result = run(*command)
    assert result.code == 2
    assert "the folder is there, campaign.md is not" in result.text
    assert "campaigns/z" in result.text
    assert mend in result.text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("campaign_de.md", "campaign.de.md"),
        ("campaign-pt_BR.md", "campaign.pt-BR.md"),
        ("campaign.de.md.txt", "campaign.de.md"),
        ("campaign_notes.md", ""),
    ],
)
def test_a_file_that_misses_the_name_of_a_translation_is_a_warning(
    run: Run, project: Path, name: str, meant: str
) -> None:
    assert run("contacts", "pull").code == 0
    write(project, {"campaign.md": CAMPAIGN, name: FRENCH})
    result = run("check", "letter", "--json")
    found = [each for each in result.json["findings"] if each["where"] == f"campaigns/letter/{name}"]
    assert [each["mend"] for each in found] == ([f"Did you mean “{meant}”?"] if meant else [])
    assert result.code == 0


ENGLISH = "Dear colleagues, here is what we did in the year that has come to its end.\n\nYours"


@pytest.mark.parametrize(
    ("french", "same"),
    [
        (ENGLISH, True),
        (f"# Nouvelles\n\n{ENGLISH.replace('e', 'é')}", False),
        ("Chères et chers collègues, voici ce que nous avons fait cette année.\n\nYours", False),
        ("{{ group.name }}\n\nhttps://a.example/a/long/address/for/everybody", False),
    ],
)
def test_a_translation_in_the_words_of_the_original_is_a_warning(
    run: Run, project: Path, french: str, same: bool
) -> None:
    assert run("contacts", "pull").code == 0
    head = FRENCH.rpartition("+++\n")[0] + "+++\n"
    write(project, {"campaign.md": CAMPAIGN.split("Dear ")[0] + ENGLISH, "campaign.fr.md": head + french})
    findings = run("check", "letter", "--json").json["findings"]
    found = [each for each in findings if each["rule"] == "translation-same"]
    assert [each["where"] for each in found] == ["campaigns/letter/campaign.fr.md"] * same
    assert all("reads like the original" in each["message"] for each in found)
