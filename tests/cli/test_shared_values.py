"""What a list says of people is data: in no part of a mail is it Jinja, Markdown, MJML or a header."""

import csv
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from mlgroup_mail.content.compiling.variants import MAX_VARIANTS
from tests.acceptance.projects import CAMPAIGN, LETTER, small_project
from tests.cli.conftest import Run

CONTACTS = """\
[[source]]
name = "members"
path = "members.csv"
columns = { email = "Email", name = "Name", status = "Status" }

[segment.members]
"""
HOSTILE = [
    "{{7*7}}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "</mj-text><mj-include path='/etc/passwd'>",
    "[click](https://evil.example)",
    "# heading",
    "<script>alert(1)</script>",
    "{{ recipient.name }}",
    "a, bcc: b@evil.example",
    "{# x #}",
    "```button",
]


def project_with(root: Path, statuses: list[str], text: str, subject: str = "News") -> Path:
    small_project(root)
    (root / "contacts" / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        people = [(f"p{number}@office.example", f"Person {number}", said) for number, said in enumerate(statuses)]
        csv.writer(file).writerows([("Email", "Name", "Status"), *people])
    front = CAMPAIGN.split("+++\n")[1].replace('"News"', f"'{subject}'").replace('"members"', "{}")
    (root / "campaigns" / "letter" / "campaign.md").write_text(f"+++\n{front}+++\n{text}", encoding="utf-8")
    return root


def sent(root: Path) -> dict[str, EmailMessage]:
    found = {}
    for path in (root / "var" / "outbox").rglob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        found[message["To"].addresses[0].username] = message
    return found


def test_a_hostile_status_is_shown_as_it_is_and_rendered_by_nothing(run: Run, tmp_path: Path) -> None:
    text = (
        "Status: {{ recipient.status }}.\n\n{% if recipient.status == '{{7*7}}' %}You are seven times seven.{% endif %}"
    )
    root = project_with(tmp_path, HOSTILE, text, "News for {{ recipient.status }}")
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    assert run("send", LETTER, "--live", "--late", "a test").code == 0
    messages = sent(root)
    assert len(messages) == len(HOSTILE)
    for number, status in enumerate(HOSTILE):
        message = messages[f"p{number}"]
        shown = " ".join(status.split())
        plain = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        page = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
        assert f"Status: {shown}." in " ".join(plain.split())
        assert " ".join(message["Subject"].split()) == f"News for {shown}"
        assert "49" not in plain
        assert ("seven times seven" in plain) is (status == "{{7*7}}")
        assert "<script" not in page
        assert "mj-include" not in page.replace("&lt;/mj-text&gt;&lt;mj-include", "")
        assert 'href="https://evil.example"' not in page
        assert message["Bcc"] is None
        assert [address.addr_spec for address in message["To"].addresses] == [f"p{number}@office.example"]


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_shared_field_of_more_than_200_values_is_an_error_that_names_it(
    run: Run, tmp_path: Path, command: str
) -> None:
    statuses = [f"status {number}" for number in range(MAX_VARIANTS + 1)]
    root = project_with(tmp_path, statuses[:2], "Hello {{ recipient.status }}.")
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    project_with(root / "more", statuses, "")
    (root / "more" / "contacts" / "members.csv").replace(root / "contacts" / "members.csv")
    assert run("contacts", "pull", "--accept-changes").code == 0

    if command == "check":
        result = run("check", "letter", "--json")
        (found,) = [each for each in result.json["findings"] if each["level"] == "error"]
        told = f"{found['message']} {found['mend']}"
    else:
        result = run("plan", LETTER)
        told = result.text
    assert result.code == 1
    assert "more than 200 variants" in told
    assert "recipient.status" in told
    assert not list((root / "var").rglob("*.eml"))


def test_exactly_200_variants_are_sent(run: Run, tmp_path: Path) -> None:
    statuses = [f"status {number}" for number in range(MAX_VARIANTS)]
    root = project_with(tmp_path, statuses, "Hello {{ recipient.status }}.")
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    assert run("send", LETTER, "--live", "--late", "a test").code == 0
    messages = sent(root)
    assert len(messages) == MAX_VARIANTS
    assert all(
        f"Hello status {number}." in messages[f"p{number}"].get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for number in range(MAX_VARIANTS)
    )
