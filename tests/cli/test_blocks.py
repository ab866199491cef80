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


@pytest.mark.parametrize(
    "text",
    [
        f"```button members_only\n[Form]({SECRET})\n```\n\nWrite {SECRET} into a browser.\n",
        f"```note members_only\nWrite `{SECRET}`.\n```\n\nAs in `{SECRET}`.\n",
        f"```button members_only\n[Form]({SECRET})\n```\n\nSee forms.example.org/for-members.\n",
        f"```button members_only\n[Form]({SECRET})\n```\n\n"
        "[x](https://r.example/?to=https%3A%2F%2Fforms.example.org%2Ffor-members)\n",
        "```event\nall-group\n```\n\nJoin at https://meet.example.org/for-members (or call).\n",
        "{{ events['all-group'].title }}: https://meet.example.org/for-members?lang=en\n",
    ],
)
def test_an_address_for_members_only_is_found_as_plain_words_too(
    project: Path, run: Run, tmp_path: Path, text: str
) -> None:
    write(project, text)
    (finding,) = leaks(project, run)
    assert finding["level"] == "error"
    out = tmp_path / "copies"
    refused = run("--project", project, "preview", "letter", "--public", "--out", out)
    assert refused.code != 0
    assert finding["message"] in refused.text
    assert not list(out.rglob("*.*"))


def test_an_address_for_members_only_is_found_in_what_the_calendar_says(project: Path, run: Run) -> None:
    events = EVENTS + f"- {{id: talk, title: Talk, start: 2099-11-28, description: 'See {SECRET}'}}\n"
    (project / "campaigns" / "events.yaml").write_text(events, encoding="utf-8")
    write(project, f"```button members_only\n[Form]({SECRET})\n```\n\n```event\ntalk\n\nCome.\n```\n")
    assert leaks(project, run) == []
    file = project / "campaigns" / "letter" / "campaign.md"
    file.write_text(file.read_text("utf-8").replace("topic =", 'event = "talk"\ntopic =', 1), encoding="utf-8")
    assert [finding["where"] for finding in leaks(project, run)] == ["campaigns/letter/campaign.md"]


def test_another_page_of_the_same_place_is_no_secret(project: Path, run: Run) -> None:
    write(
        project,
        f"```button members_only\n[Form]({SECRET})\n[Home](https://www.example.org/)\n```\n\n"
        f"See {SECRET}-and-guests, {SECRET}/help, https://www.example.org/news and ana@www.example.org.\n",
    )
    assert leaks(project, run) == []


@pytest.mark.parametrize(
    "text",
    [
        "```members_only\n```note\nfor friends\n```\nmore for friends\n```\n",
        "````members_only\n```button\nno link\n```\n````\n\nHello.\n",
        "```speaker members_only\nrole: x\n```\n\nHello.\n",
        "Hello.\n\n````members_only\n- item\n\n  ```note\n  x\n  ```\n````\n",
    ],
)
def test_a_slip_in_what_is_for_members_is_told_by_check_and_by_the_public_copy(
    project: Path, run: Run, tmp_path: Path, text: str
) -> None:
    write(project, text)
    findings = found_by(project, run, "not-readable")
    assert findings
    out = tmp_path / "copies"
    refused = run("--project", project, "preview", "letter", "--public", "--out", out)
    assert refused.code != 0
    for finding in findings:
        for said in ("where", "message", "mend"):
            assert " ".join(finding[said].split()) in refused.text
    assert not list(out.rglob("*.*"))


def leaks(project: Path, run: Run) -> list[dict[str, str]]:
    return found_by(project, run, "members-only-link")


def found_by(project: Path, run: Run, rule: str) -> list[dict[str, str]]:
    """What one rule finds in the letter; the list has not been pulled, and its day is past: other rules say so."""
    found = run("--project", project, "check", "letter", "--json").json["findings"]
    return [each for each in found if each["rule"] == rule]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Hello.\nA <b>bold</b> word.\n", 1),
        ("Hello.<br/>\n", 0),
        ("- one\n- two <span style='color: red'>x</span>\n", 1),
        ("{% if group.members %}\n\n<p>Hello.</p>\n{% endif %}\n", 2),
        ("Hello.\n\n```note\ntitle: Please\nA <b>word</b>.\n```\n", 4),
        ("````members_only\n```quote\nSaid <i>well</i>.\n```\n````\n\nHello.\n", 2),
    ],
)
def test_html_in_a_text_is_a_warning_with_its_line(project: Path, run: Run, text: str, line: int) -> None:
    first = write(project, text)
    (finding,) = found_by(project, run, "html-as-text")
    assert (finding["level"], finding["where"]) == ("warning", f"campaigns/letter/campaign.md, line {first + line}")
    assert "Markdown" in finding["message"]


def test_tags_in_code_and_addresses_in_angle_brackets_are_meant(project: Path, run: Run) -> None:
    write(project, "Write `<b>`, see <https://a.example/b> and 1 < 2.\n\n```html\n<b>x</b>\n```\n\n{# <b> #}Hello.\n")
    assert found_by(project, run, "html-as-text") == []


def test_an_invitation_without_an_event_is_a_warning(project: Path, run: Run) -> None:
    def warned(text: str, front: str = "") -> list[str]:
        write(project, text)
        file = project / "campaigns" / "letter" / "campaign.md"
        written = file.read_text("utf-8").replace('kind = "newsletter"', f'kind = "invitation"{front}')
        file.write_text(written, encoding="utf-8")
        assert found_by(project, run, "not-readable") == []
        return [each["level"] for each in found_by(project, run, "invitation-without-event")]

    assert warned("Come.\n") == ["warning"]
    assert warned("Come.\n\n```agenda\n14:00 Talk\n```\n") == ["warning"]
    assert warned("Come.\n\n```event\nall-group\n```\n") == []
    assert warned("Come.\n\n````members_only\n```events\n```\n````\n") == []
    assert warned("Come.\n", '\nevent = "all-group"') == []


@pytest.mark.parametrize("second", ["talk", "- talk", "\ntalk", "all-grup", "\n- all-grop"])
def test_a_second_event_in_a_block_for_one_is_refused(project: Path, run: Run, second: str) -> None:
    events = EVENTS + "- {id: talk, title: Talk, start: 2099-11-28}\n"
    (project / "campaigns" / "events.yaml").write_text(events, encoding="utf-8")
    first = write(project, f"Hello.\n\n```event\nall-group\n{second}\n```\n")
    found = run("--project", project, "check", "letter")
    assert found.code == 1
    assert "reads as a second event" in found.text
    assert "Write ```events for several" in found.text
    assert f"campaigns/letter/campaign.md, line {first + 4 + second.count(chr(10))}" in found.text


def test_a_language_of_an_event_that_is_none_is_told_with_its_line(project: Path, run: Run) -> None:
    (project / "campaigns" / "events.yaml").write_text(EVENTS + "  title_french: Réunion\n", encoding="utf-8")
    write(project, "```event\nall-group\n```\n")
    found = run("--project", project, "check", "letter")
    assert found.code == 1
    assert "campaigns/events.yaml, line 5" in found.text
    assert "Did you mean “title_fr”?" in found.text


def test_words_below_an_event_are_no_second_one(project: Path, run: Run) -> None:
    write(project, "```event\nall-group\nwell-known\n\nall-group meetings are open.\nonline\n```\n")
    assert found_by(project, run, "not-readable") == []


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
