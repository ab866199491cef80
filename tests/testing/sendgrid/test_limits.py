"""What the real service refuses, the fake refuses: each limit, and what is just within it."""

import base64
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.testing.sendgrid import FakeSendGrid
from mlgroup_mail.testing.sendgrid.checking import flaws
from mlgroup_mail.testing.sendgrid.conversation import LARGEST
from mlgroup_mail.testing.sendgrid.recipient_limits import is_address
from mlgroup_mail.testing.sendgrid.schema import MOST_FLAWS, official
from tests.testing.sendgrid.raw import PATH, WHOLE, Client, first, whole

ASIDE = {"filename": "a", "content": "eA==", "disposition": "aside"}


def wrong(document: Any) -> list[str | None]:
    """The fields that are found wrong."""
    return [flaw.field for flaw in flaws(document)]


def people(count: int) -> list[dict[str, Any]]:
    return [{"to": [{"email": f"person{number}@office.example"}]} for number in range(count)]


def test_the_sample_is_right() -> None:
    assert flaws(WHOLE) == []


@pytest.mark.parametrize("key", ["personalizations", "from"])
def test_what_the_schema_requires_is_required(key: str) -> None:
    assert f"'{key}' is a required property" in [flaw.message for flaw in flaws(whole(**{key: None}))]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (whole(subject=7), "subject"),
        (whole(colour="red"), None),
        (first(colour="red"), "personalizations.0"),
        (first(to=[{"name": "Ana"}]), "personalizations.0.to.0"),
        (first(substitutions={"qz": 1}), "personalizations.0.substitutions.qz"),
        (whole(content=[{"type": "text/plain", "value": ""}]), "content.0.value"),
        (whole(content=[{"type": "", "value": "x"}]), "content.0.type"),
        (whole(attachments=[{"filename": "a.ics"}]), "attachments.0"),
        (
            whole(attachments=[{"filename": "a", "content": "eA==", "disposition": "aside"}]),
            "attachments.0.disposition",
        ),
        (whole(categories=["a"] * 2), "categories"),
        (whole(tracking_settings={"click_tracking": {"enable": "no"}}), "tracking_settings.click_tracking.enable"),
        ([], None),
        ("text", None),
        (None, None),
    ],
)
def test_what_departs_from_the_official_schema_is_named_by_its_place(document: Any, field: str | None) -> None:
    assert wrong(document)[0] == field


def test_a_thousand_recipients_go_and_one_more_does_not() -> None:
    assert flaws(whole(personalizations=people(1000))) == []
    assert wrong(whole(personalizations=people(1001)))[0] == "personalizations"


def test_copies_count_as_recipients() -> None:
    within = people(999)
    within[0]["bcc"] = [{"email": "bcc@office.example"}]
    assert flaws(whole(personalizations=within)) == []
    within[0]["cc"] = [{"email": "cc@office.example"}]
    assert wrong(whole(personalizations=within)) == ["personalizations"]


@pytest.mark.parametrize("empty", [[], [{"to": []}]])
def test_there_is_at_least_one_recipient(empty: list[Any]) -> None:
    assert wrong(whole(personalizations=empty))


@pytest.mark.parametrize("again", ["person0@office.example", "Person0@OFFICE.example"])
def test_an_address_that_comes_twice_is_the_end_of_the_whole_request(
    fake: FakeSendGrid, client: Client, again: str
) -> None:
    reply = client.send(whole(personalizations=[*people(3), {"to": [{"email": again}]}]))
    assert (reply.status, reply.fields) == (400, ["personalizations"])
    assert f"You have included [{again}] more than once." in reply.document["errors"][0]["message"]
    assert fake.accepted == []


def test_so_is_one_that_is_to_get_a_copy_too() -> None:
    (flaw,) = flaws(first(cc=[{"email": "ANA@office.example"}]))
    assert flaw.field == "personalizations.0"
    assert "unique between to, cc, and bcc" in flaw.message


def test_substitutions_are_counted_in_bytes_with_their_tags() -> None:
    assert flaws(first(substitutions={"qzname01": "ä" * 4996})) == []
    assert wrong(first(substitutions={"qzname01": "ä" * 4996 + "x"})) == ["personalizations.0.substitutions"]


def test_there_are_at_most_a_hundred_substitutions() -> None:
    tags = {f"qz{number:04}": "x" for number in range(100)}
    assert flaws(first(substitutions=tags)) == []
    assert wrong(first(substitutions=tags | {"qz9999": "x"})) == ["personalizations.0.substitutions"]


def test_arguments_are_counted_in_bytes_together_with_those_of_the_whole_request() -> None:
    own = first(custom_args={"delivery": "x" * 4992})
    assert flaws(own | {"custom_args": {"batch": "ä" * 2497 + "x"}}) == []
    assert wrong(own | {"custom_args": {"batch": "ä" * 2498}}) == ["personalizations.0.custom_args"]


@pytest.mark.parametrize("arguments", [{}, {"delivery": 1}, {"delivery": ["1"]}])
def test_arguments_are_texts_and_there_is_one(arguments: dict[str, Any]) -> None:
    assert wrong(first(custom_args=arguments)) == ["personalizations.0.custom_args"]


@pytest.mark.parametrize(
    "name",
    ["To", "cc", "BCC", "From", "Subject", "Reply-To", "Received", "Content-Type", "content-transfer-encoding",
     "DKIM-Signature", "x-sg-id", "X-SG-EID", "X Name", "X-Näme", "X-Name:", ""],
)  # fmt: skip
def test_headers_of_the_service_and_names_that_are_none_are_refused(name: str) -> None:
    assert wrong(first(headers={name: "x"})) == [f"personalizations.0.headers.{name}"]
    assert wrong(whole(headers={name: "x"})) == [f"headers.{name}"]


@pytest.mark.parametrize("value", ["a\r\nBcc: b@office.example", "a\nb", "a\rb", "Größe", 7])
def test_a_header_is_one_line_of_ascii(value: Any) -> None:
    assert wrong(first(headers={"X-Name": value})) == ["personalizations.0.headers.X-Name"]


def test_a_header_comes_once_however_it_is_written() -> None:
    assert wrong(first(headers={"X-Name": "1", "x-name": "2"})) == ["personalizations.0.headers"]


PLAIN, HTML = {"type": "text/plain", "value": "x"}, {"type": "text/html", "value": "x"}
CALENDAR = {"type": "text/calendar", "value": "x"}


@pytest.mark.parametrize("content", [[PLAIN], [HTML], [PLAIN, HTML], [PLAIN, HTML, CALENDAR], [HTML, CALENDAR]])
def test_text_comes_first_then_html_then_the_rest(content: list[Any]) -> None:
    assert flaws(whole(content=content)) == []


@pytest.mark.parametrize("content", [[HTML, PLAIN], [CALENDAR, PLAIN], [PLAIN, CALENDAR, HTML], [PLAIN, PLAIN], []])
def test_any_other_order_is_refused(content: list[Any]) -> None:
    assert wrong(whole(content=content)) == ["content"]


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/html,text/plain", "text/html\r\nX: y"])
def test_types_have_no_parameters(kind: str) -> None:
    assert "content.0.type" in wrong(whole(content=[{"type": kind, "value": "x"}]))
    attachment = {"content": "eA==", "filename": "a.ics", "type": kind}
    assert wrong(whole(attachments=[attachment])) == ["attachments.0.type"]


@pytest.mark.parametrize("key", ["filename", "content_id"])
def test_names_of_attachments_are_plain(key: str) -> None:
    attachment = {"content": "eA==", "filename": "a.ics", key: "a\r\nb"}
    assert wrong(whole(attachments=[attachment])) == [f"attachments.0.{key}"]


def test_attachments_are_base64() -> None:
    good = base64.b64encode(b"BEGIN:VCALENDAR").decode()
    assert flaws(whole(attachments=[{"content": good, "filename": "a.ics"}])) == []
    for bad in ("not base64!", "eA=", "e!A=="):
        assert wrong(whole(attachments=[{"content": bad, "filename": "a.ics"}])) == ["attachments.0.content"]


def test_there_is_a_subject_for_everybody() -> None:
    assert wrong(whole(subject=None)) == ["subject"]
    assert wrong(first(subject="For Ana") | {"subject": ""}) == ["subject"]
    own = [{**each, "subject": "x"} for each in WHOLE["personalizations"]]
    assert flaws(whole(subject=None, personalizations=own)) == []


@pytest.mark.parametrize("line", ["a\r\nBcc: b@office.example", "a\nb", "a\rb"])
def test_subjects_and_names_are_one_line(line: str) -> None:
    assert wrong(whole(subject=line)) == ["subject"]
    assert wrong(first(subject=line)) == ["subject"]
    assert wrong(whole(**{"from": {"email": "news@example.org", "name": line}})) == ["from.name"]
    assert wrong(whole(reply_to={"email": "news@example.org", "name": line})) == ["reply_to.name"]
    assert wrong(first(to=[{"email": "a@b.example", "name": line}])) == ["personalizations.0.to.0.name"]


@pytest.mark.parametrize("name", ["Silva, Ana", "Ana; Bo"])
def test_a_recipients_name_has_neither_comma_nor_semicolon(name: str) -> None:
    assert wrong(first(to=[{"email": "a@b.example", "name": name}])) == ["personalizations.0.to.0.name"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@b.example",
        "ana@localhost",
        "änä@b.example",
        "a@bücher.example",
        "a b@c.example",
        "a..b@c.example",
        f"{'a' * 65}@b.example",
        "a@b.example\r\n",
        "Ana <a@b.example>",
    ],
)
def test_addresses_are_addresses(address: str) -> None:
    assert not is_address(address)
    assert "personalizations.0.to.0.email" in wrong(first(to=[{"email": address}]))
    assert "from.email" in wrong(whole(**{"from": {"email": address}}))


@given(st.emails())
def test_usual_addresses_are_taken(address: str) -> None:
    plain = len(address.partition("@")[0]) <= 64
    assert is_address(address) == plain


def test_replies_go_to_one_or_to_a_list() -> None:
    to = {"email": "a@b.example"}
    assert wrong(whole(reply_to=to, reply_to_list=[to])) == ["reply_to"]


def test_nothing_is_parked_for_longer_than_three_days() -> None:
    assert flaws(whole(send_at=int(time.time()) + 71 * 3600)) == []
    assert wrong(whole(send_at=int(time.time()) + 73 * 3600)) == ["send_at"]
    assert wrong(first(send_at=int(time.time()) + 73 * 3600)) == ["personalizations.0.send_at"]


def test_thirty_megabytes_are_too_much(fake: FakeSendGrid, client: Client) -> None:
    reply = client.ask_raw("POST", PATH, b" " * (LARGEST + 1))
    assert reply.status == 413
    assert fake.accepted == []


def test_what_is_no_json_is_refused(client: Client) -> None:
    assert client.ask_raw("POST", PATH, b"{").status == 400
    assert client.ask_raw("POST", PATH, b'"\xff"').status == 415


def test_an_answer_names_twenty_flaws_at_most() -> None:
    bad = [{"to": [{"email": "nobody"}]} for _ in range(100)]
    assert len(flaws(whole(personalizations=bad))) == MOST_FLAWS


def test_every_refusal_reads_as_the_services(client: Client) -> None:
    (error,) = client.send(whole(subject=None)).document["errors"]
    assert set(error) == {"message", "field", "help"}
    assert error["help"].endswith("errors.html#message.subject")


def test_the_official_files_are_carried_whole_with_their_licence() -> None:
    from importlib.resources import files

    for name in ("mail", "suppressions", "webhooks", "scheduled_sends"):
        assert official(name)["openapi"].startswith("3.")
    licence = files("mlgroup_mail.testing.sendgrid") / "openapi" / "LICENSE"
    assert licence.read_text(encoding="utf-8").startswith("MIT License\n\nCopyright (c) 2024 Twilio")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(sorted(WHOLE)), _ANY)
def test_whatever_comes_is_judged_and_never_breaks_the_fake(key: str, value: Any) -> None:
    assert isinstance(flaws(WHOLE | {key: value}), list)


@given(st.sampled_from(["to", "headers", "substitutions", "custom_args", "subject", "send_at", "from", "cc"]), _ANY)
def test_nor_does_whatever_comes_for_a_recipient(key: str, value: Any) -> None:
    assert isinstance(flaws(first(**{key: value})), list)
