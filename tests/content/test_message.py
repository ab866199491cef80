"""The bytes on the wire, read back by the standard parser: one recipient, the same text, whatever a value holds."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgroup_mail.content.merging import clean, merge_html, merge_subject, merge_text
from mlgroup_mail.content.message import MessageTemplate
from mlgroup_mail.model.message import CompiledMessage, MergeValues, Sender
from tests.content.projects import FRONT, compiled, project_at, values

SENDER = Sender(name="Groupe Données, “test”", address="news@example.org", reply_to="team@example.org")
DATE = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)
TEXT = """\
Dear {{ recipient.first_name | default("colleague") }} ({{ recipient.name }}),

*{{ recipient.organisation }}*: [form](https://a.example/f?o={{ recipient.organisation }}) €  {{ recipient.address }}

.

From here on: a very long line without any break in it, so that a soft one is needed at column seventy-six, ééé
"""

HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(st.characters(), max_size=60),
    st.sampled_from(
        [
            'A" <evil@x.example>, "B',
            "x\r\nBcc: evil@x.example",
            "x\u2028Bcc: evil@x.example\x85",
            "evil@x.example, b@x.example",
            "=?utf-8?q?evil=40x=2Eexample?=",
            "<evil@x.example>",
            "a; b: c@x.example;",
            "\\",
            "é" * 300,
            "A" * 300,
            "👩‍🔬" * 40,
            "\u202egnp.exe\u2066",
            "{{7*7}}{% x %}</mj-text>",
            "</p><script>alert(1)</script>",
            "--=_boundary--",
            " . ",
            "=",
            "\ud800",
            "",
        ]
    ),
)


@pytest.fixture(scope="module")
def message(tmp_path_factory: pytest.TempPathFactory) -> CompiledMessage:
    project = project_at(Path(tmp_path_factory.mktemp("project")))
    return compiled(project, TEXT, front=FRONT.replace('"News"', '"News for {{ recipient.name }} – März"'))


def template(message: CompiledMessage, *, one_click: bool = True) -> MessageTemplate:
    return MessageTemplate.build(message, sender=SENDER, list_id="newsletter.ml-group.example.org", one_click=one_click)


def filled(message: CompiledMessage, person: MergeValues, *, one_click: bool = True) -> bytes:
    return template(message, one_click=one_click).fill(person, message_id="<17.abc@example.org>", date=DATE)


def shown_name(content: bytes) -> str:
    """The recipient's name as RFC 2047 has it. The newer parser puts blanks between adjacent encoded-words."""
    field = email.message_from_bytes(content, policy=email.policy.compat32)["To"]
    name, _ = parseaddr(re.sub(r"\r?\n", "", field))
    return str(make_header(decode_header(name)))


def parsed(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def tags(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every tag of a page with the names of its attributes, as a parser that builds no tree sees them."""

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, tuple(name for name, _ in attrs)))

        def handle_comment(self, data: str) -> None:
            found.append(("comment", (data,)))

    found: list[tuple[str, tuple[str, ...]]] = []
    Tags().feed(page)
    return found


def part(found: EmailMessage, kind: str) -> str:
    body = found.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content()).replace("\r\n", "\n")


def test_the_headers_are_what_list_mail_needs(message: CompiledMessage) -> None:
    found = parsed(filled(message, values()))
    assert {name: str(value) for name, value in found.items()} | {"Content-Type": ""} == {
        "Date": "Wed, 20 Oct 2021 08:00:00 +0000",
        "Message-ID": "<17.abc@example.org>",
        "To": "Ana Silva <ana.silva@office.example>",
        "Subject": "News for Ana Silva – März",
        "List-Unsubscribe": "<https://mail.example.org/o/topic>, <mailto:ml-group@example.org?subject=opt%20out>",
        "From": '"Groupe Données, “test”" <news@example.org>',
        "Reply-To": '"Groupe Données, “test”" <team@example.org>',
        "List-Id": "<newsletter.ml-group.example.org>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Content-Language": "en",
        "Content-Type": "",
        "MIME-Version": "1.0",
    }
    assert [each.get_content_type() for each in found.iter_parts()] == ["text/plain", "text/html"]


def test_without_a_page_there_is_no_one_click(message: CompiledMessage) -> None:
    found = parsed(filled(message, values(one_click=""), one_click=False))
    assert found["List-Unsubscribe"] == "<mailto:ml-group@example.org?subject=opt%20out>"
    assert found["List-Unsubscribe-Post"] is None


def test_a_long_opt_out_link_stays_readable_on_the_wire(message: CompiledMessage) -> None:
    """Encoded-words in List-Unsubscribe would kill one click."""
    link = "https://mail.example.org/opt-out/" + "a1" * 150
    assert f"List-Unsubscribe: <{link}>,\r\n <mailto:".encode() in filled(message, values(one_click=link))


@given(name=HOSTILE, first_name=HOSTILE, organisation=HOSTILE)
@settings(max_examples=300, deadline=None)
def test_no_value_can_change_the_message_around_it(
    message: CompiledMessage, name: str, first_name: str, organisation: str
) -> None:
    person = values(name=name, first_name=first_name, organisation=organisation)
    content = filled(message, person)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998

    found = parsed(content)
    assert not found.defects
    assert found.keys() == parsed(filled(message, values())).keys()
    assert [each.addr_spec for each in found["To"].addresses] == [person.address]
    assert shown_name(content).split() == clean(name).split()
    assert str(found["Subject"]).split() == merge_subject(message, person).split()
    assert part(found, "plain") == merge_text(message, person)
    assert part(found, "html") == merge_html(message, person)
    assert all(len(line) <= 76 for line in content.partition(b"\r\n\r\n")[2].split(b"\r\n") if b"boundary" not in line)


@given(value=HOSTILE)
@settings(max_examples=200, deadline=None)
def test_no_value_can_change_the_tags_of_the_page(message: CompiledMessage, value: str) -> None:
    hostile = merge_html(message, values(name=value, first_name=value, organisation=value))
    assert tags(hostile) == tags(merge_html(message, values()))


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_text_is_the_same_after_the_wire(text: str) -> None:
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    content = filled(CompiledMessage(subject="x", html="<p>x</p>", text=text, language="en"), values())
    assert part(parsed(content), "plain") == text


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_subject_is_the_same_after_the_wire(subject: str) -> None:
    content = filled(CompiledMessage(subject=subject, html="x", text="x", language="en"), values())
    assert str(parsed(content)["Subject"]).split() == clean(subject).split()
    head = content.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 for line in head.split(b"\r\n") if b"boundary" not in line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "a@example.org, b@example.org"},
        {"address": "a@example.org\r\nBcc: b@example.org"},
        {"address": "Ana <a@example.org>"},
        {"opt_out_mail": "mailto:a@example.org>, <https://evil.example"},
        {"one_click": "http://mail.example.org/o"},
        {"one_click": ""},
    ],
)
def test_what_is_our_own_is_checked_and_never_guessed(message: CompiledMessage, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"address|link"):
        filled(message, values(**wrong))


def test_an_address_beyond_ascii_is_written_as_utf_8(message: CompiledMessage) -> None:
    content = filled(message, values(address="jörg@example.org", name=""))
    assert "To: jörg@example.org\r\n".encode() in content


@pytest.mark.parametrize("bad", ["17@example.org", "<17 @example.org>", "<17@example.org>\r\nX: y", "<@>"])
def test_a_message_id_is_one(message: CompiledMessage, bad: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        template(message).fill(values(), message_id=bad, date=DATE)
