"""The bytes on the wire, read back by two parsers: one recipient, the same text, whatever a value or a file holds."""

import binascii
import dataclasses
import email
import email.policy
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgroup_mail.content.message import quoted_printable
from mlgroup_mail.content.message.merging import clean, merge_html, merge_subject, merge_text
from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.content.message.mime_tree import CALENDAR_FILE, base64_lines
from mlgroup_mail.model.message import CompiledMessage, InlineImage, MergeValues, Sender
from tests.content.message.raw_mime import Part, read_message, words
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


def template(
    message: CompiledMessage, *, one_click: bool = True, contents: Mapping[str, bytes] | None = None
) -> MessageTemplate:
    """`contents`: the bytes of the message's pictures by digest; anything will do where no test looks at them."""
    shown = {image.digest: b"a picture" for image in message.images} | dict(contents or {})
    return MessageTemplate.build(
        message,
        sender=SENDER,
        list_id="newsletter.ml-group.example.org",
        one_click=one_click,
        pictures={digest: base64_lines(content) for digest, content in shown.items()},
    )


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


@given(name=HOSTILE, organisation=st.one_of(HOSTILE, st.sampled_from([".", "..", ".\n.", "a\n.\nb", ".a"])))
def test_what_smtp_writes_is_the_same_with_its_leading_dots_doubled(
    message: CompiledMessage, name: str, organisation: str
) -> None:
    person = values(name=clean(name), organisation=organisation, first_name=".")
    built = MessageTemplate.build_for_smtp(
        message,
        sender=SENDER,
        list_id="newsletter.ml-group.example.org",
        one_click=True,
        pictures={image.digest: base64_lines(b"a picture") for image in message.images},
    )
    written = built.fill(person, message_id="<17.abc@example.org>", date=DATE)
    plain = filled(message, person)

    assert written == re.sub(rb"(?m)^\.", b"..", plain)
    assert b"\r\n.." in written, "a value that is a dot begins a line"


@pytest.mark.parametrize("bare", [b"a\nb\r\n", b"a\rb\r\n"])
def test_a_bare_line_end_is_found_before_anybody_is_written_to(message: CompiledMessage, bare: bytes) -> None:
    """It could forge the end of the message, and the beginning of another."""
    pictured = dataclasses.replace(
        message, images=(InlineImage(name="a", media_type="image/png", content_id="a", digest="d"),)
    )
    with pytest.raises(ValueError, match="line end"):
        MessageTemplate.build_for_smtp(
            pictured, sender=SENDER, list_id="newsletter.example.org", one_click=True, pictures={"d": bare}
        )


def test_the_headers_are_what_list_mail_needs(message: CompiledMessage) -> None:
    found = parsed(filled(dataclasses.replace(message, images=()), values()))
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
    raw = read_message(content)
    assert raw.one("To").endswith(f"<{person.address}>".encode()) or raw.one("To") == person.address.encode()
    assert words(raw.one("Subject")).split() == merge_subject(message, person).split()

    found = parsed(content)
    assert not found.defects
    assert found.keys() == parsed(filled(message, values())).keys()
    assert [each.addr_spec for each in found["To"].addresses] == [person.address]
    assert shown_name(content).split() == clean(name).split()
    assert str(found["Subject"]).split() == merge_subject(message, person).split()
    assert part(found, "plain") == merge_text(message, person)
    assert part(found, "html") == merge_html(message, person)
    plain, html, *_ = raw.leaves()
    assert plain.decoded().decode().replace("\r\n", "\n") == merge_text(message, person)
    assert html.decoded().decode().replace("\r\n", "\n") == merge_html(message, person)


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
        {"one_click": "https://mail.example.org/\u212a"},
        {"one_click": "http\u017f://mail.example.org/o"},
        {"one_click": ""},
    ],
)
def test_what_is_our_own_is_checked_and_never_guessed(message: CompiledMessage, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"address|link"):
        filled(message, values(**wrong))


def test_an_address_beyond_ascii_is_written_as_utf_8(message: CompiledMessage) -> None:
    content = filled(message, values(address="jörg@example.org", name=""))
    assert "To: jörg@example.org\r\n".encode() in content
    assert read_message(content, utf8=True).one("To").decode() == "jörg@example.org"
    beside = filled(message, values(address="jörg@example.org", name="Jörg Groß"))
    assert [line for line in beside.split(b"\r\n") if not line.isascii()] == [" <jörg@example.org>".encode()]


@pytest.mark.parametrize("bad", ["17@example.org", "<17 @example.org>", "<17@example.org>\r\nX: y", "<@>"])
def test_a_message_id_is_one(message: CompiledMessage, bad: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        template(message).fill(values(), message_id=bad, date=DATE)


PAGE = '<p>Hello <img src="cid:{0}" alt="A chart"></p>'
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nSUMMARY:Réunion\r\nEND:VCALENDAR\r\n"


def picture(name: str = "chart.png", content: bytes = b"a picture", media_type: str = "image/png") -> InlineImage:
    digest = hashlib.sha256(content).hexdigest()
    return InlineImage(
        name=name, media_type=media_type, content_id=f"{digest[:32]}@ml-group.example.org", digest=digest
    )


def message_with(*images: InlineImage, calendar: str = "") -> CompiledMessage:
    html = "".join(PAGE.format(image.content_id) for image in images) or "<p>Hello</p>"
    return CompiledMessage(subject="x", html=html, text="Hello\n", language="en", images=images, calendar=calendar)


def tree(part: Part) -> object:
    """The media types, as deep as they stand."""
    return (part.media_type, [tree(each) for each in part.parts]) if part.parts else part.media_type


TEXTS = ("multipart/alternative", ["text/plain", "text/html"])
PICTURED = (
    "multipart/alternative",
    ["text/plain", ("multipart/related", ["text/html", "image/png", "image/jpeg"])],
)


@pytest.mark.parametrize(
    ("calendar", "pictures", "expected"),
    [
        ("", False, TEXTS),
        ("", True, PICTURED),
        (ICS, False, ("multipart/mixed", [TEXTS, "text/calendar"])),
        (ICS, True, ("multipart/mixed", [PICTURED, "text/calendar"])),
    ],
)
def test_each_part_stands_where_it_belongs(calendar: str, pictures: bool, expected: object) -> None:
    """The text first, pictures beside the page that shows them, the calendar beside both."""
    images = [picture(), picture("photo.jpeg", b"another", "image/jpeg")] if pictures else []
    content = filled(message_with(*images, calendar=calendar), values())
    assert tree(read_message(content)) == expected
    assert not parsed(content).defects


def test_a_picture_is_found_by_the_page_that_shows_it() -> None:
    image = picture("figures/Übersicht 2021.png", b"\x89PNG" + bytes(range(256)) * 9)
    content = template(message_with(image), contents={image.digest: b"\x89PNG" + bytes(range(256)) * 9}).fill(
        values(), message_id="<17.abc@example.org>", date=DATE
    )
    related = read_message(content).parts[1]
    assert b'type="text/html"' in related.one("Content-Type")
    _, part = related.parts
    assert part.one("Content-ID") == f"<{image.content_id}>".encode()
    assert part.one("Content-Disposition") == b"inline; filename*=utf-8''%C3%9Cbersicht%202021.png"
    assert part.decoded() == b"\x89PNG" + bytes(range(256)) * 9
    assert f"cid:{image.content_id}".encode() in related.parts[0].decoded()


def test_a_calendar_arrives_as_it_is_and_says_that_no_answer_is_wanted() -> None:
    part = read_message(filled(message_with(calendar=ICS), values())).parts[1]
    assert part.decoded() == ICS.encode()
    kind = part.one("Content-Type")
    assert all(each in kind for each in (b'charset="utf-8"', b'method="PUBLISH"', CALENDAR_FILE.encode()))
    assert part.one("Content-Disposition") == b'attachment; filename="invitation.ics"'


def test_the_id_of_a_picture_stays_an_id_however_long_it_is() -> None:
    """`email` would make encoded-words of one that does not fit its line, and the picture would not be found."""
    image = dataclasses.replace(picture(), content_id="a" * 32 + "@" + "b" * 60 + "." + "c" * 60 + ".example.org")
    part = read_message(filled(message_with(image), values())).leaves()[2]
    assert part.one("Content-ID").strip() == f"<{image.content_id}>".encode()


def test_a_picture_that_is_missing_is_an_error_and_no_gap() -> None:
    with pytest.raises(ValueError, match=r"chart\.png"):
        MessageTemplate.build(message_with(picture()), sender=SENDER, list_id="a.example.org", one_click=False)


def test_variants_share_the_bytes_of_their_pictures() -> None:
    """200 variants with pictures of 3 MB each must not take 800 MB."""
    image = picture()
    lines = {image.digest: base64_lines(b"a picture" * 1000)}
    variants = [
        MessageTemplate.build(
            dataclasses.replace(message_with(image), text=f"variant {number}"),
            sender=SENDER,
            list_id="a.example.org",
            one_click=False,
            pictures=lines,
        )
        for number in range(3)
    ]
    assert all(any(segment is lines[image.digest] for segment in each.segments) for each in variants)


NAMES = st.one_of(
    st.text(min_size=1, max_size=120),
    st.sampled_from(
        ['a"b\\c;d=e.png', "a\r\nX: y.png", "é" * 200 + ".gif", "x y " * 50, "utf-8''%41.png", "..", "=?utf-8?q?a?="]
    ),
).filter(lambda name: clean(PurePosixPath(name).name).strip())


@given(
    pictures=st.lists(
        st.tuples(NAMES, st.binary(min_size=1, max_size=400)), max_size=4, unique_by=lambda each: each[1]
    ),
    calendar=st.sampled_from(["", ICS, "BEGIN:VCALENDAR\r\n" + "X:" + "é" * 60 + "\r\n", "--=_"]),
    name=HOSTILE,
    text=st.text(max_size=120),
)
@settings(max_examples=150, deadline=None)
def test_pictures_and_calendar_arrive_whole_whatever_they_hold(
    pictures: list[tuple[str, bytes]], calendar: str, name: str, text: str
) -> None:
    images = [picture(file, content) for file, content in pictures]
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    message = dataclasses.replace(message_with(*images, calendar=calendar), text=text)
    contents = {image.digest: content for image, (_, content) in zip(images, pictures, strict=True)}
    content = template(message, contents=contents).fill(values(name=name), message_id="<1.a@example.org>", date=DATE)

    leaves = read_message(content).leaves()
    assert leaves[0].decoded().decode().replace("\r\n", "\n") == text
    assert [leaf.decoded() for leaf in leaves[2 : 2 + len(images)]] == [each for _, each in pictures]
    assert [leaf.decoded().decode() for leaf in leaves[2 + len(images) :]] == ([calendar] if calendar else [])

    found = parsed(content)
    assert not found.defects
    parts = [each for each in found.walk() if not each.is_multipart()]
    assert [each.get_payload(decode=True) for each in parts[2 : 2 + len(images)]] == [each for _, each in pictures]
    assert [each.get_filename() for each in parts[2 : 2 + len(images)]] == [
        clean(PurePosixPath(file).name).replace("=?", "_").strip() for file, _ in pictures
    ]


@given(st.text(alphabet="x é=\n", max_size=400) | st.text(alphabet="xxxxxxxxxxx =\n", min_size=70, max_size=90))
def test_a_body_never_has_a_line_above_76_columns_and_reads_back(text: str) -> None:
    """Quoted-printable, RFC 2045, 6.7, rule 5; binascii alone writes 78 where a blank stands before a line's end."""
    encoded = quoted_printable.encode(text)
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert binascii.a2b_qp(encoded) == text.replace("\n", "\r\n").encode()
