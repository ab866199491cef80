"""What goes to SendGrid: the mail that goes over SMTP, its fields put in by somebody else's substitution."""

import base64
import dataclasses
import email
import email.policy
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.content.message.mime_tree import CALENDAR_FILE, base64_lines
from mlgroup_mail.delivery.transports import sendgrid_request
from mlgroup_mail.delivery.transports.sendgrid_request import MOST_SUBSTITUTED, WindowRequest, request_of
from mlgroup_mail.delivery.transports.sendgrid_template import RequestTemplate
from mlgroup_mail.model import Message
from mlgroup_mail.model.message import CompiledMessage, InlineImage, MergeValues, Sender
from mlgroup_mail.testing.sendgrid.checking import flaws
from tests.content.projects import FRONT, compiled, project_at, values
from tests.delivery.transports.messages import make_message

SENDER = Sender(name="Groupe Données, “test”", address="news@example.org", reply_to="team@example.org")
DATE = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)
LIST_ID = "newsletter.ml-group.example.org"
TEXT = """\
Dear {{ recipient.first_name | default("colleague") }} ({{ recipient.name }}),

*{{ recipient.organisation }}*: [form](https://a.example/f?o={{ recipient.organisation }}) €  {{ recipient.address }}

[leave]({{ links.opt_out }}) or [leave everything]({{ links.opt_out_all }})
"""
PNG = b"\x89PNG" + bytes(range(256)) * 2


@pytest.fixture(scope="module")
def message(tmp_path_factory: pytest.TempPathFactory) -> CompiledMessage:
    project = project_at(Path(tmp_path_factory.mktemp("project")))
    return compiled(project, TEXT, front=FRONT.replace('"News"', '"News for {{ recipient.name }} – März"'))


@pytest.fixture(scope="module")
def rich(message: CompiledMessage) -> CompiledMessage:
    """The same with a picture, a calendar, and a subject that is the same for all."""
    image = InlineImage(name="bilder/Grüße; 1,2.png", media_type="image/png", content_id="abc@example.org", digest="d")
    return dataclasses.replace(message, images=(image,), calendar="BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n", subject="N")


def build(message: CompiledMessage, *, one_click: bool = True) -> RequestTemplate:
    pictures = {image.digest: base64_lines(PNG) for image in message.images}
    return RequestTemplate.build(message, sender=SENDER, list_id=LIST_ID, one_click=one_click, pictures=pictures)


def letter(template: RequestTemplate, person: MergeValues, number: int = 1) -> Message:
    content = template.fill(person, message_id=f"<{number}.token@example.org>", date=DATE)
    return dataclasses.replace(make_message(person.address, content=content), template=template)


def sent(request: WindowRequest) -> dict[str, Any]:
    """The request as SendGrid reads it; it has no fault that the service's schema and pages know of."""
    document: dict[str, Any] = json.loads(request.body)
    assert flaws(document, frozenset()) == []
    return document


def received(document: dict[str, Any], number: int = 0) -> dict[str, str]:
    """Text and page as one recipient gets them: each tag replaced one after the other, as SendGrid says it does."""
    person = document["personalizations"][number]
    parts = {part["type"]: part["value"] for part in document["content"]}
    for tag, value in person.get("substitutions", {}).items():
        parts = {kind: text.replace(tag, value) for kind, text in parts.items()}
    return parts


def over_smtp(message: CompiledMessage, person: MergeValues, *, one_click: bool = True) -> Any:
    pictures = {image.digest: base64_lines(PNG) for image in message.images}
    template = MessageTemplate.build(message, sender=SENDER, list_id=LIST_ID, one_click=one_click, pictures=pictures)
    content = template.fill(person, message_id="<1.token@example.org>", date=DATE)
    return email.message_from_bytes(content, policy=email.policy.default)


def body_of(parsed: Any, kind: str) -> str:
    part = next(part for part in parsed.walk() if part.get_content_type() == kind)
    return str(part.get_payload(decode=True).decode().replace("\r\n", "\n"))


HOSTILE = st.one_of(
    st.text(max_size=200),
    st.text(st.characters(), max_size=60),
    st.sampled_from(
        [
            'A" <evil@x.example>, "B',
            "x\r\nBcc: evil@x.example",
            "x\u2028Bcc: evil@x.example\x85",
            "evil@x.example; b@x.example",
            "</p><script>alert(1)</script>",
            "\\1 \\g<0> $1 %s {0}",
            "\u202egnp.exe\u2066",
            "\ud800",
            "é" * 300,
            "",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(name=HOSTILE, first=HOSTILE, office=HOSTILE)
def test_a_reader_sees_the_same_text_over_sendgrid_as_over_smtp(
    message: CompiledMessage, name: str, first: str, office: str
) -> None:
    """Text, page, subject and ways out, whatever the values hold; the name loses what makes an address list."""
    person = values(name=name, first_name=first, organisation=office)
    document = sent(request_of([letter(build(message), person)]))
    ours, theirs = received(document), over_smtp(message, person)
    for kind in ("text/plain", "text/html"):
        assert ours[kind].replace("\r\n", "\n") == body_of(theirs, kind)
    (own,) = document["personalizations"]
    assert own["subject"].split() == str(theirs["Subject"]).split()
    assert own["headers"]["List-Unsubscribe"].split() == theirs["List-Unsubscribe"].split()
    assert own["to"][0]["email"] == person.address
    assert not set(own["to"][0].get("name", "")) & set('<>[]:;@\\,"\r\n')


def test_headers_are_those_of_the_smtp_message(message: CompiledMessage) -> None:
    """All that SendGrid does not write itself: Date and MIME are its own; the rest has keys of its own."""
    person = values(name="Ada Lovelace")
    document = sent(request_of([letter(build(message), person)]))
    headers = document["personalizations"][0]["headers"]
    theirs = over_smtp(message, person)
    elsewhere = {"Date", "From", "To", "Reply-To", "Subject", "MIME-Version", "Content-Type"}
    expected = {name: " ".join(str(value).split()) for name, value in theirs.items() if name not in elsewhere}
    assert headers == expected
    assert document["from"] == {"email": "news@example.org", "name": SENDER.name}
    assert document["reply_to"] == {"email": "team@example.org", "name": SENDER.name}
    assert document["personalizations"][0]["to"] == [{"email": person.address, "name": "Ada Lovelace"}]


def test_without_a_page_there_is_no_one_click(message: CompiledMessage) -> None:
    headers = sent(request_of([letter(build(message, one_click=False), values())]))["personalizations"][0]["headers"]
    assert "List-Unsubscribe-Post" not in headers
    assert headers["List-Unsubscribe"].startswith("<mailto:")
    assert "," not in headers["List-Unsubscribe"]


def test_only_numbers_go_into_custom_arguments(message: CompiledMessage) -> None:
    (own,) = sent(request_of([letter(build(message), values(name="Ada"))]))["personalizations"]
    assert own["custom_args"] == {"delivery": "1.token"}


def test_nothing_is_tracked_added_or_put_off(rich: CompiledMessage) -> None:
    document = sent(request_of([letter(build(rich), values())]))
    tracking = document["tracking_settings"]
    assert set(tracking) == {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}
    assert not any(each["enable"] for each in tracking.values())
    assert tracking["click_tracking"]["enable_text"] is False
    assert document["mail_settings"] == {"footer": {"enable": False}}
    keys = {*document, *document["personalizations"][0], *document["mail_settings"]}
    assert not [key for key in keys if key in ("asm", "send_at", "batch_id", "template_id") or "bypass" in key]


def test_the_sandbox_is_asked_for_only_where_the_settings_say_so(message: CompiledMessage) -> None:
    document = sent(request_of([letter(build(message), values())], sandbox=True))
    assert document["mail_settings"]["sandbox_mode"] == {"enable": True}


def test_pictures_and_the_calendar_go_along_as_they_do_over_smtp(rich: CompiledMessage) -> None:
    """Byte for byte; names and types without what SendGrid refuses. The method stands in the calendar."""
    document = sent(request_of([letter(build(rich), values())]))
    picture, calendar = document["attachments"]
    smtp = {part.get_content_type(): part.get_payload(decode=True) for part in over_smtp(rich, values()).walk()}
    assert (picture["content_id"], picture["disposition"]) == ("abc@example.org", "inline")
    assert picture["filename"] == "Gr__e_ 1_2.png"
    assert (calendar["type"], calendar["filename"]) == ("text/calendar", CALENDAR_FILE)
    assert calendar["disposition"] == "attachment"
    assert base64.b64decode(picture["content"], validate=True) == smtp["image/png"] == PNG
    assert base64.b64decode(calendar["content"], validate=True) == smtp["text/calendar"]
    assert b"METHOD:PUBLISH" in smtp["text/calendar"]
    assert document["subject"] == "N"
    assert "subject" not in document["personalizations"][0]


def test_a_picture_that_the_ledger_lacks_is_told(rich: CompiledMessage) -> None:
    with pytest.raises(ValueError, match="lacks the bytes of the picture"):
        RequestTemplate.build(rich, sender=SENDER, list_id=LIST_ID, one_click=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "a@x.example, b@x.example"},
        {"one_click": ""},
        {"one_click": "http://x.example"},
        {"opt_out": "javascript:x"},
    ],
)
def test_what_is_our_own_must_be_right(message: CompiledMessage, wrong: dict[str, str]) -> None:
    person = dataclasses.replace(values(), **wrong)
    with pytest.raises(ValueError, match=r"address|link|ASCII"):
        build(message).fill(person, message_id="<1.t@example.org>", date=DATE)


def test_a_message_id_that_is_none_is_refused(message: CompiledMessage) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        build(message).fill(values(), message_id="<1>\r\nBcc: x", date=DATE)


def test_tags_are_random_of_one_length_and_stand_nowhere_by_themselves(message: CompiledMessage) -> None:
    """One for each field and place; nobody can write one into a list, because each process makes its own."""
    one, other = build(message), build(message)
    tags = [tag for tag, _ in one.tags]
    assert not set(tags) & {tag for tag, _ in other.tags}
    assert {len(tag) for tag in tags} == {24}
    assert all(re.fullmatch("[0-9a-f]+", tag) for tag in tags)
    assert all(tag in one.text + one.html and tag not in message.text + message.html for tag in tags)
    in_text = [slot for slot in message.tokens.values() if slot.context != "header"]
    assert [slot for _, slot in one.tags] == in_text


def test_people_of_one_variant_share_a_request_and_each_gets_their_own(message: CompiledMessage) -> None:
    template = build(message)
    people = [
        values(address=f"person{n}@example.org", name=f"Person {n}", organisation=f"Office {n}") for n in range(5)
    ]
    request = request_of([letter(template, person, n) for n, person in enumerate(people)])
    document = sent(request)
    assert (len(request.messages), request.left) == (5, ())
    for number, person in enumerate(people):
        parts = received(document, number)
        assert f"Office {number}" in parts["text/plain"]
        assert parts["text/html"].replace("\r\n", "\n") == body_of(over_smtp(message, person), "text/html")


def test_who_reads_another_variant_or_has_the_same_address_is_left_for_the_next_request(
    message: CompiledMessage,
) -> None:
    template, other = build(message), build(message)
    first, twin = letter(template, values()), letter(template, values())
    stranger = letter(other, values(address="other@example.org"))
    last = letter(template, values(address="last@example.org"))
    request = request_of([first, twin, stranger, last])
    assert request.messages == (first, last)
    assert request.left == (twin, stranger)


def test_more_than_a_request_may_hold_is_left(message: CompiledMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes as they are sent count, not letters; the request stays below its limit, and one goes in any case."""
    template = build(message)
    people = [letter(template, values(address=f"p{n}@example.org", name="é" * 200), n) for n in range(20)]
    whole = len(request_of(people).body)
    monkeypatch.setattr(sendgrid_request, "MOST_BYTES", whole - 1)
    request = request_of(people)
    assert [len(request.messages), len(request.left)] == [19, 1]
    assert len(request.body) < whole
    monkeypatch.setattr(sendgrid_request, "MOST_BYTES", 10)
    assert len(request_of(people).messages) == 1
    monkeypatch.undo()
    monkeypatch.setattr(sendgrid_request, "MOST_PEOPLE", 7)
    assert len(request_of(people).messages) == 7


def test_who_has_too_large_substitutions_goes_alone_with_a_finished_body(message: CompiledMessage) -> None:
    """10,000 bytes, counted as they are sent; the mail is the same as with substitutions."""
    template = build(message)
    small = letter(template, values(address="small@example.org"))
    person = values(address="large@example.org", name="W" * 500, organisation="<é>" * 700)
    large = letter(template, person)
    assert len(large.content) > MOST_SUBSTITUTED
    twin = letter(template, dataclasses.replace(person, address="twin@example.org"))
    request = request_of([large, small, twin])
    assert (request.messages, request.left, request.finished) == ((small,), (large, twin), False)
    alone = request_of([large, twin])
    assert (alone.messages, alone.left, alone.finished) == ((large,), (twin,), True)
    document = sent(alone)
    (own,) = document["personalizations"]
    assert "substitutions" not in own
    assert own["headers"]["Message-ID"] == "<1.token@example.org>"
    for part in document["content"]:
        assert part["value"].replace("\r\n", "\n") == body_of(over_smtp(message, person), part["type"])


def test_a_long_name_in_the_headers_alone_makes_nobody_go_alone(message: CompiledMessage) -> None:
    """What counts are the substitutions; all of a personalization may be larger."""
    bare = dataclasses.replace(message, text="Hello", html="<p>Hello</p>", tokens={}, subject="News")
    template = build(bare)
    long = letter(template, values(name="W" * 11_000))
    request = request_of([letter(template, values(address="a@example.org")), long])
    assert len(request.messages) == 2
