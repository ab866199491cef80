"""A campaign in several languages: each reader gets the text in theirs, and everybody else the original."""

import csv
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN, LETTER, small_project
from tests.cli.conftest import Run

CONTACTS = """\
[[source]]
name = "members"
path = "members.csv"
columns = { email = "Email", name = "Name", language = "Language" }
defaults = { status = "member" }

[segment.members]
status = "member"
"""
READERS = {
    "english": "English",
    "french": "fr",
    "canadian": "fr-CA",
    "brazilian": "pt-BR",
    "portuguese": "pt",
    "taiwanese": "zh-TW",
    "chinese": "Chinese",
    "norwegian": "no",
    "silent": "",
}
FRENCH = """\
+++
subject = "Nouvelles"
preheader = "Ce qui est nouveau"
+++
Bonjour {{ recipient.first_name | default("collègue") }}, voici des nouvelles pour {{ group.members }} membres,
du {{ "2021-11-03" | date }}.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = small_project(tmp_path)
    (root / "contacts" / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        people = [(f"{name}@office.example", f"{name.title()} Reader", said) for name, said in READERS.items()]
        csv.writer(file).writerows([("Email", "Name", "Language"), *people])
    return root


def write(project: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (project / "campaigns" / "letter" / name).write_text(text, encoding="utf-8")


def translation(word: str, subject: str) -> str:
    text = f'{word} {{{{ recipient.first_name | default("x") }}}}, {{{{ group.members }}}}.'
    return f'+++\nsubject = "{subject}"\n+++\n{text}\n'


def sent(project: Path) -> dict[str, EmailMessage]:
    """The messages in the outbox by the reader's name."""
    found = {}
    for path in (project / "var" / "outbox").rglob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        found[message["To"].addresses[0].username] = message
    return found


def send(run: Run) -> None:
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    assert run("send", LETTER, "--live", "--late", "a test").code == 0


def test_each_reader_gets_the_text_in_their_language_and_the_others_the_original(run: Run, project: Path) -> None:
    write(
        project,
        {
            "campaign.fr.md": FRENCH,
            "campaign.pt-BR.md": translation("Olá", "Notícias"),
            "campaign.zh-Hant.md": translation("您好", "消息"),
            "campaign.nb.md": translation("Hei", "Nyheter"),
        },
    )
    send(run)
    messages = sent(project)
    assert {name: message["Subject"] for name, message in messages.items()} == {
        "english": "News",
        "french": "Nouvelles",
        "canadian": "Nouvelles",
        "brazilian": "Notícias",
        "portuguese": "Notícias",
        "taiwanese": "消息",
        "chinese": "News",
        "norwegian": "Nyheter",
        "silent": "News",
    }
    french = messages["canadian"]
    text = french.get_body(("plain",))
    page = french.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "Bonjour Canadian Reader, voici des nouvelles pour 9 membres" in " ".join(text.get_content().split())
    assert "mercredi 3 novembre 2021" in " ".join(text.get_content().split())
    assert '<html lang="fr"' in page.get_content()
    assert french["Content-Language"] == "fr"
    assert "Dear" in messages["silent"].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_the_log_tells_in_which_language_each_was_written_to(run: Run, project: Path) -> None:
    write(project, {"campaign.fr.md": FRENCH, "campaign.pt-BR.md": translation("Olá", "Notícias")})
    assert run("contacts", "pull").code == 0
    assert run("opt-out", "add", "canadian@office.example").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    assert run("send", LETTER, "--live", "--late", "a test").code == 0
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    assert list(lines[0])[:8] == [
        *("address", "contact_id", "state", "reason", "attempts", "message_id", "at"),
        "language",
    ]
    told = {line["address"].partition("@")[0]: line["language"] for line in lines}
    assert told == dict.fromkeys(READERS, "en") | {
        "french": "fr",
        "canadian": "",
        "brazilian": "pt-BR",
        "portuguese": "pt-BR",
    }
    assert told["french"] == sent(project)["french"]["Content-Language"]
    rows = list(csv.DictReader(run("log", LETTER, "--csv").out.splitlines()))
    assert {row["address"].partition("@")[0]: row["language"] for row in rows} == told
    assert "language" in run("log", LETTER).text


def test_a_mailing_with_a_text_of_its_own_has_translations_of_its_own(run: Run, project: Path) -> None:
    reminder = (
        '\n[[mailing]]\nname = "again"\nsend_at = "2021-11-09 09:00 UTC"\nsubject = "Again"\ntext = "again.md"\n+++\n'
    )
    first, _, text = CAMPAIGN.removeprefix("+++\n").partition("+++\n")
    write(
        project,
        {
            "campaign.md": f"+++\n{first}{reminder}{text}",
            "campaign.fr.md": FRENCH,
            "again.md": "Once more: [here](https://example.org/).",
            "again.fr.md": '+++\nsubject = "Encore"\n+++\nEncore une fois : [ici](https://example.org/).',
        },
    )
    assert run("contacts", "pull").code == 0
    assert run("approve", "letter/again", "--by", "the editor").code == 0
    assert run("send", "letter/again", "--live", "--late", "a test").code == 0
    assert {name: message["Subject"] for name, message in sent(project).items() if name in ("french", "silent")} == {
        "french": "Encore",
        "silent": "Again",
    }


def test_an_approval_covers_the_translations(run: Run, project: Path) -> None:
    write(project, {"campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0

    write(project, {"campaign.fr.md": FRENCH.replace("Bonjour", "Salut")})
    refused = run("plan", LETTER)
    assert refused.code != 0
    assert "the translation fr changed" in refused.text

    write(project, {"campaign.fr.md": FRENCH, "campaign.de.md": translation("Hallo", "Neues")})
    assert "the translation de is new" in run("plan", LETTER).text

    (project / "campaigns" / "letter" / "campaign.de.md").unlink()
    (project / "campaigns" / "letter" / "campaign.fr.md").unlink()
    assert "the translation fr is gone" in run("plan", LETTER).text

    write(project, {"campaign.fr.md": FRENCH.replace("\n", "\r\n")})
    assert run("plan", LETTER).code == 0, "an editor's line ends void nothing"


def test_approving_tells_how_many_read_which_text(run: Run, project: Path) -> None:
    write(project, {"campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    approved = run("approve", LETTER, "--by", "the editor")
    assert "in the language en 7" in approved.text
    assert "in the language fr 2" in approved.text
    assert run("send", LETTER, "--json").json["languages"] == {"en": 7, "fr": 2}


def test_a_preview_shows_each_language(run: Run, project: Path) -> None:
    write(project, {"campaign.fr.md": FRENCH, "campaign.is.md": translation("Halló", "Fréttir")})
    assert run("contacts", "pull").code == 0
    assert run("preview", LETTER, "--out", project / "shown").code == 0
    folder = project / "shown" / "letter"
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
    assert found.keys() == {"issue.txt", "issue.fr.txt", "issue.is.txt"}
    assert "Dear English Reader, there is news" in " ".join(found["issue.txt"].split())
    assert "Bonjour French Reader" in found["issue.fr.txt"]
    assert "Halló" in found["issue.is.txt"], "though nobody reads it yet"

    assert run("preview", LETTER, "--as", "canadian@office.example", "--out", project / "one").code == 0
    (one,) = (project / "one" / "letter").glob("*.txt")
    assert re.fullmatch(r"issue\.fr\.reader-\d+\.txt", one.name), "beside what everybody else gets"
    assert "Bonjour Canadian Reader" in one.read_text(encoding="utf-8")


def findings(run: Run, rule: str) -> list[dict[str, str]]:
    return [finding for finding in run("check", "letter", "--json").json["findings"] if finding["rule"] == rule]


@pytest.mark.parametrize(
    ("files", "where", "message", "mend"),
    [
        (
            {"campaign.fr.md": "Bonjour."},
            "campaign.fr.md, line 1",
            "“issue” has no subject in “fr”",
            'subject = "..." between two lines “+++”',
        ),
        (
            {"campaign.fr.md": '+++\ntitle = "T"\n+++\nBonjour.'},
            "campaign.fr.md, line 1",
            "no subject",
            'subject = "..."',
        ),
        ({"campaign.fr.md": '+++\nsubject = "N"\n+++\n \n'}, "campaign.fr.md, line 4", "no text", "below the front"),
        ({"campaign.fr.md": ""}, "campaign.fr.md, line 1", "no text", "take the file away"),
        (
            {"campaign.fr.md": '+++\nsubject = "N"\nsend_at = "2021-11-02"\n+++\nx'},
            "campaign.fr.md, line 3",
            "“send_at” is not known",
            "Known keys: subject, title, preheader",
        ),
        (
            {"campaign.fr.md": '+++\nsubject = "N"\naudience = "members"\n+++\nx'},
            "campaign.fr.md, line 3",
            "the original decides “audience”",
            "campaign.md has it",
        ),
        (
            {"campaign.fr.md": '+++\nsubject = "N"\nlanguage = "fr"\n+++\nx'},
            "campaign.fr.md, line 3",
            "the original decides “language”",
            "Take it away",
        ),
        (
            {"campaign.fr.md": '+++\nsubject = "N"\n[[mailing]]\nname = "issue"\nsend_at = "2021-11-02"\n+++\nx'},
            "campaign.fr.md, line 5",
            "the original decides “send_at”",
            "Take it away",
        ),
        (
            {"campaign.fr.md": '+++\nsubject = "N"\n[[mailing]]\nname = "isue"\n+++\nx'},
            "campaign.fr.md, line 4",
            "no mailing “isue”",
            "Did you mean “issue”?",
        ),
        (
            {"campaign.fr.md": '+++\nsubjet = "N"\n+++\nx'},
            "campaign.fr.md, line 2",
            "“subjet” is not known",
            "Did you mean “subject”?",
        ),
        ({"campaign.fr.md": '+++\nsubject = "N'}, "campaign.fr.md, line 1", "does not end", "+++"),
        (
            {"campaign.fr.md": '+++\nsubject = "N\n+++\nx'},
            "campaign.fr.md, line 2",
            "not valid TOML",
            "quotes",
        ),
        (
            {"campaign.fr.md": '+++\nsubject = "A\\nBcc: x"\n+++\nx'},
            "campaign.fr.md, line 2",
            "one line",
            "",
        ),
        ({"campaign.en.md": FRENCH}, "campaign.en.md", "“en” is the language of the original", "campaign.md"),
        ({"campaign.french.md": FRENCH}, "campaign.french.md", "“french”", "Did you mean campaign.fr.md?"),
        ({"campaign.pt_BR.md": FRENCH}, "campaign.pt_BR.md", "“pt_BR”", "Did you mean campaign.pt-BR.md?"),
        ({"campaign.draft.md": FRENCH}, "campaign.draft.md", "“draft”", "another name"),
        ({"campaign.fr.md": FRENCH, "campaign.FR.md": FRENCH}, "campaign.fr.md", "two files", "Keep one"),
        ({"campain.fr.md": FRENCH}, "campain.fr.md", "no text “campain.md”", "Did you mean “campaign.fr.md”?"),
        (
            {"campaign.fr.md": FRENCH.replace("group.members", "group.membres")},
            "campaign.fr.md, line 5",
            "“group.membres”",
            "Did you mean group.members?",
        ),
        (
            {"campaign.fr.md": FRENCH.replace('"Nouvelles"', '"Nouvelles de {{ grup.name }}"')},
            "campaign.fr.md (subject), line 2",
            "“grup”",
            "Known",
        ),
        (
            {"campaign.fr.md": FRENCH.replace("Bonjour", "Bonjour {{ recipient.prenom }}")},
            "campaign.fr.md, line 5",
            "no field recipient.prenom",
            "Known fields",
        ),
    ],
)
def test_a_slip_in_a_translation_is_an_error_with_its_file_and_line(
    run: Run, project: Path, files: dict[str, str], where: str, message: str, mend: str
) -> None:
    write(project, files)
    result = run("check", "letter", "--json")
    assert result.code == 1
    found = [finding for finding in result.json["findings"] if finding["level"] == "error"]
    assert any(message in finding["message"] for finding in found), found
    (found,) = [finding for finding in found if message in finding["message"]]
    assert found["where"].endswith(where)
    assert mend in found["mend"]


@pytest.mark.parametrize(
    ("text", "rule", "line", "message"),
    [
        ("un\n\nLa salle est TBC.", "left-overs", 6, "“TBC”"),
        ("un\n[ici](www.example.org)", "missing-link-target", 5, "no whole address"),
        ("un\n\n\nBonjour {{ recipient.organisation }},", "unfilled-fields", 7, "2 of 2 recipients have no"),
    ],
)
def test_each_rule_looks_at_each_translation(
    run: Run, project: Path, text: str, rule: str, line: int, message: str
) -> None:
    write(project, {"campaign.fr.md": f'+++\nsubject = "N"\n+++\n{text}\n'})
    assert run("contacts", "pull").code == 0
    (found,) = findings(run, rule)
    assert found["level"] == "error"
    assert found["where"] == f"campaigns/letter/campaign.fr.md, line {line}"
    assert message in found["message"]


def test_a_translation_is_checked_though_nobody_reads_it(run: Run, project: Path) -> None:
    write(project, {"campaign.is.md": translation("Halló", "Fréttir TBC")})
    assert run("contacts", "pull").code == 0
    (found,) = findings(run, "left-overs")
    assert found["where"] == "campaigns/letter/campaign.is.md, line 2"


def test_a_translation_that_lacks_something_is_a_warning(run: Run, project: Path) -> None:
    write(project, {"campaign.md": f"{CAMPAIGN}\nSee [this](https://example.org/a), {{{{ recipient.name }}}}."})
    write(project, {"campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    (found,) = findings(run, "translation-differs")
    assert found["level"] == "warning"
    assert found["where"] == "campaigns/letter/campaign.fr.md"
    assert "{{ recipient.name }}, the link https://example.org/a" in found["message"]
    write(project, {"campaign.fr.md": f"{FRENCH}\nVoir [ceci](https://example.org/a), {{{{ recipient.name }}}}."})
    assert findings(run, "translation-differs") == []


def test_a_language_that_one_mailing_has_and_another_has_not_is_a_warning(run: Run, project: Path) -> None:
    again = '\n[[mailing]]\nname = "again"\nsend_at = "2021-11-09 09:00 UTC"\ntext = "again.md"\n+++\n'
    first, _, text = CAMPAIGN.removeprefix("+++\n").partition("+++\n")
    write(project, {"campaign.md": f"+++\n{first}{again}{text}", "again.md": "Again.", "campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    (found,) = findings(run, "translation-missing")
    assert (found["level"], found["where"]) == ("warning", "campaigns/letter/again.md")
    assert "Write campaigns/letter/again.fr.md" in found["mend"]


def at(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def test_a_translation_older_than_its_original_is_a_warning_by_the_times_of_the_files(run: Run, project: Path) -> None:
    write(project, {"campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    folder = project / "campaigns" / "letter"
    at(folder / "campaign.fr.md", datetime(2021, 10, 20, 9, 0, tzinfo=UTC))
    at(folder / "campaign.md", datetime(2021, 10, 25, 16, 30, tzinfo=UTC))
    (found,) = findings(run, "translation-older")
    assert (found["level"], found["where"]) == ("warning", "campaigns/letter/campaign.fr.md")
    assert "2021-10-20, 09:00 UTC" in found["message"]
    assert "2021-10-25, 16:30 UTC" in found["message"]

    at(folder / "campaign.fr.md", datetime(2021, 10, 25, 16, 30, tzinfo=UTC))
    assert findings(run, "translation-older") == []


def git(project: Path, *arguments: str, at: str = "2021-10-20T09:00:00Z") -> None:
    """Git with a name and a clock of its own, whatever this machine has configured."""
    person = {"NAME": "An Editor", "EMAIL": "editor@example.org", "DATE": at}
    names = {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "-C", str(project), *arguments], check=True, capture_output=True, env=environment)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_in_a_repository_the_commits_say_which_is_older(run: Run, project: Path) -> None:
    write(project, {"campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    folder = project / "campaigns" / "letter"
    git(project, "init", "--quiet")
    git(project, "add", "campaigns")
    git(project, "commit", "--quiet", "-m", "Both")
    # As a fresh clone may have it: the file system's times say nothing.
    at(folder / "campaign.fr.md", datetime(2021, 1, 1, tzinfo=UTC))
    assert findings(run, "translation-older") == []

    write(project, {"campaign.md": CAMPAIGN.replace("there is news", "here is news")})
    git(project, "commit", "--quiet", "-am", "The original", at="2021-10-25T16:30:00Z")
    at(folder / "campaign.fr.md", datetime(2031, 1, 1, tzinfo=UTC))
    (found,) = findings(run, "translation-older")
    assert "2021-10-20, 09:00 UTC" in found["message"]
    assert "2021-10-25, 16:30 UTC" in found["message"]

    write(project, {"campaign.fr.md": FRENCH.replace("Bonjour", "Salut")})
    assert findings(run, "translation-older") == [], "it has been changed since, though not committed"


def test_without_git_the_file_system_is_believed(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(project, {"campaign.fr.md": FRENCH})
    assert run("contacts", "pull").code == 0
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    folder = project / "campaigns" / "letter"
    at(folder / "campaign.fr.md", datetime(2021, 10, 20, 9, 0, tzinfo=UTC))
    at(folder / "campaign.md", datetime(2021, 10, 25, 16, 30, tzinfo=UTC))
    assert len(findings(run, "translation-older")) == 1
