"""SendGrid's events in our words: what each means, which opt-out follows from it, and what is not kept of it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.delivery.provider_events import SendGridEvent, UnreadableEventsError, in_our_words, read_events
from mlgroup_mail.model import Bounce, EventKind, ProviderEvent, SignalKind
from mlgroup_mail.testing.sendgrid.events import Fate, tell
from mlgroup_mail.testing.sendgrid.truth import Accepted

PERSON = Accepted(
    address="Ana.Silva@office.example",
    message_id="<7.0123456789abcdef@example.org>",
    custom_args={"delivery": "7.0123456789abcdef"},
    request=1,
    answer_id="LRzXl_NHStOGhQ4kofSm_A",
    at=1635847200,
)


def said(**values: object) -> ProviderEvent | None:
    given = {"event": "delivered", "timestamp": 1635847200, "email": PERSON.address} | values
    (event,) = read_events(json.dumps([given]).encode())
    assert event is not None
    return in_our_words(event)


def understood(**values: object) -> ProviderEvent:
    event = said(**values)
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("fate", "kind", "asks"),
    [
        (Fate.DELIVERED, EventKind.DELIVERED, None),
        (Fate.DEFERRED, EventKind.DELIVERED, None),
        (Fate.STUCK, EventKind.DEFERRED, None),
        (Fate.BOUNCED, EventKind.BOUNCED, SignalKind.BOUNCE),
        (Fate.BLOCKED, EventKind.BOUNCED, None),
        (Fate.DROPPED, EventKind.DROPPED, SignalKind.BOUNCE),
        (Fate.OPENED, EventKind.DELIVERED, None),
        (Fate.CLICKED, EventKind.DELIVERED, None),
        (Fate.COMPLAINED, EventKind.COMPLAINED, SignalKind.COMPLAINT),
        (Fate.UNSUBSCRIBED, EventKind.ANSWERED, SignalKind.OPT_OUT),
        (Fate.GROUP_UNSUBSCRIBED, EventKind.ANSWERED, SignalKind.OPT_OUT),
        (Fate.BOUNCED_LATER, EventKind.BOUNCED, SignalKind.BOUNCE),
        (Fate.STRANGE, EventKind.DELIVERED, None),
    ],
)
def test_what_becomes_of_a_message_is_its_heaviest_event(fate: Fate, kind: EventKind, asks: SignalKind | None) -> None:
    told = tell([PERSON], fates={PERSON.address: fate})
    events = [event for each in told if (event := in_our_words(SendGridEvent.model_validate(each)))]
    assert max(events, key=lambda event: event.kind.weight).kind is kind
    assert {event.asks for event in events} - {None} == {asks} - {None}
    assert {event.key for event in events} == {"7.0123456789abcdef"}
    assert {event.message_id for event in events} == {PERSON.message_id}
    assert len({event.alias for event in events} - {""}) == 1


@pytest.mark.parametrize(
    ("event", "bounce"),
    [
        ({"type": "bounce", "status": "5.1.1"}, Bounce.HARD),
        ({"type": "blocked", "status": "5.1.1"}, Bounce.SOFT),
        ({"type": "bounce", "status": "5.7.1", "bounce_classification": "Invalid Address"}, Bounce.SOFT),
        ({"type": "bounce", "status": "4.4.7"}, Bounce.SOFT),
        ({"type": "bounce", "status": "5.2.2"}, Bounce.SOFT),
        ({"type": "bounce", "reason": "550 5.1.10 RESOLVER.ADR.RecipientNotFound"}, Bounce.HARD),
        ({"type": "bounce", "status": "5.0.0", "bounce_classification": "Mailbox Unavailable"}, Bounce.SOFT),
        ({"type": "bounce", "status": "5.0.0", "bounce_classification": "Invalid Address"}, Bounce.HARD),
        ({"type": "bounce"}, Bounce.HARD),
        ({"type": "bounce", "status": None, "bounce_classification": "Unclassified"}, Bounce.HARD),
        ({"type": "expired"}, Bounce.SOFT),
        ({}, Bounce.SOFT),
    ],
)
def test_a_bounce_is_hard_where_the_mailbox_is_not_there_and_blocks_are_soft(
    event: dict[str, object], bounce: Bounce
) -> None:
    found = understood(event="bounce", **event)
    assert found.bounce is bounce
    assert found.asks is (SignalKind.BOUNCE if bounce is Bounce.HARD else None)


@pytest.mark.parametrize(
    ("reason", "asks"),
    [
        ("Bounced Address", SignalKind.BOUNCE),
        ("Invalid", SignalKind.BOUNCE),
        ("Spam Reporting Address", SignalKind.COMPLAINT),
        ("Unsubscribed Address", SignalKind.OPT_OUT),
        ("Spam Content", None),
        ("Recipient List over Package Quota", None),
        ("Invalid SMTPAPI header", None),
        (None, None),
    ],
)
def test_a_drop_for_the_recipient_s_sake_tells_what_they_had_asked_before(
    reason: str | None, asks: SignalKind | None
) -> None:
    found = understood(event="dropped", reason=reason)
    assert (found.kind, found.asks, found.every_topic) == (EventKind.DROPPED, asks, True)


def test_unsubscribing_from_all_mail_is_for_every_topic_and_from_a_group_for_the_mailing_s_own() -> None:
    assert understood(event="unsubscribe").every_topic
    assert not understood(event="group_unsubscribe", asm_group_id=3).every_topic


@pytest.mark.parametrize("word", ["group_resubscribe", "account_status_change", "carrier_pigeon", "", "Delivered"])
def test_what_the_table_does_not_have_is_passed_over_and_nothing_resubscribes(word: str) -> None:
    assert said(event=word) is None


def test_of_what_people_read_nothing_is_taken_but_that_the_message_was_there() -> None:
    reader = {"useragent": "Mozilla/5.0", "ip": "192.0.2.7", "url": "https://events.example/join", "reason": "x"}
    for word in ("open", "click"):
        assert understood(event=word, **reader) == understood(event="processed")


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        ("550 5.1.1 <Ana.Silva@office.example> unknown", "550 5.1.1 <…> unknown"),
        ("550 5.1.1 user ana.silva does not exist", "550 5.1.1 user … does not exist"),
        (
            "550 ana.silva%40office.example, see postmaster@office.example",
            "550 ……@office.example, see p…@office.example",
        ),
        ("550\r\n 5.1.1\x00 \x1b[31mno\u2028such user", "550 5.1.1 [31mno such user"),
        ("x " * 2000, ("x " * 100)),
        (f"{'word ' * 199}word ana@elsewhere.example", f"{'word ' * 40}"),
    ],
)
def test_what_is_kept_of_an_answer_is_one_short_line_without_addresses(reason: str, detail: str) -> None:
    found = understood(event="bounce", reason=reason).detail
    assert found == detail
    assert len(found) <= 200


@given(st.text(max_size=2500), st.sampled_from(["reason", "response"]))
def test_whatever_a_server_answers_can_be_kept(text: str, place: str) -> None:
    event = SendGridEvent.model_validate({"event": "deferred", "timestamp": 1, "email": PERSON.address, place: text})
    found = in_our_words(event)
    assert found is not None
    assert found.detail.isprintable()
    assert PERSON.address.casefold() not in found.detail.casefold()


def test_an_alias_is_the_same_for_all_events_of_a_message_and_another_one_s_for_nobody_else() -> None:
    name = "LRzXl_NHStOGhQ4kofSm_A"
    first = understood(sg_message_id=f"{name}.recvd-1-0.0").alias
    assert understood(sg_message_id=f"{name}.recvd-2-0.1", email="ana.silva@OFFICE.example").alias == first
    assert understood(sg_message_id=f"{name}.recvd-1-0.0", email="ben@office.example").alias != first
    assert understood(sg_message_id="another.recvd-1-0.0").alias != first
    for nothing in ({"sg_message_id": ""}, {"sg_message_id": None}, {"sg_message_id": name, "email": None}):
        assert understood(**nothing).alias == ""
    assert "silva" not in first


@pytest.mark.parametrize("key", [7, None, ["7.0123456789abcdef"], {"id": 7}])
def test_an_argument_of_the_same_name_that_is_no_text_is_somebody_else_s(key: object) -> None:
    assert understood(delivery=key).key == ""


def test_times_are_utc() -> None:
    assert understood(timestamp=1635847200).at == datetime(2021, 11, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"{}",
        b"null",
        b'"delivered"',
        b"[1]",
        b"[null]",
        b'[["event"]]',
        b'[{"event": "delivered"}]',
        b'[{"timestamp": 1}]',
        b'[{"event": "open", "timestamp": "ana@office.example"}]',
        b'[{"event": 1, "timestamp": 1}]',
        b'[{"event": "open", "timestamp": -1}]',
        b'[{"event": "open", "timestamp": NaN}]',
        b'[{"event": "open", "timestamp": 1e400}]',
        b'[{"event": "open", "timestamp": 99999999999999999999}]',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_list_of_events_is_refused_as_a_whole_and_not_shown(body: bytes) -> None:
    with pytest.raises(UnreadableEventsError) as refused:
        read_events(body)
    assert "ana" not in str(refused.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        events = read_events(body)
    except UnreadableEventsError:
        return
    assert events == []


def test_no_events_are_a_list_of_none() -> None:
    assert read_events(b" [] \r\n") == []


ODD: dict[str, bytes] = {
    "a number for a text": b'{"event": "bounce", "timestamp": 1, "status": 5, "type": 7, "reason": {"no": 1}}',
    "a list for an address": b'{"event": "spamreport", "timestamp": 1, "email": ["ana@office.example"]}',
    "a number for a Message-ID": b'{"event": "delivered", "timestamp": 1, "smtp-id": 7, "sg_message_id": 3}',
    "a time as a text": b'{"event": "delivered", "timestamp": "1635847200"}',
    "half a character": b'{"event": "dropped", "timestamp": 1, "email": "\\ud800", "reason": "\\udfff"}',
    "no UTF-8": b'{"event": "dropped", "timestamp": 1, "email": "\xff", "reason": "\xff\xfe"}',
    "a number of many digits": b'{"event": "delivered", "timestamp": 1, "order": ' + b"9" * 6000 + b"}",
    "no number": b'{"event": "delivered", "timestamp": 1, "price": NaN}',
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_another_sender_of_the_account_puts_into_an_event_keeps_nobody_s_opt_out_from_being_read(
    odd: bytes,
) -> None:
    ours = json.dumps({"event": "unsubscribe", "timestamp": 1635847200, "delivery": "7.0123456789abcdef"}).encode()
    strange, read = read_events(b"[" + odd + b"," + ours + b"]")
    assert strange is not None, "what has a word and a time is an event, whatever else it has"
    in_our_words(strange)
    assert read is not None
    event = in_our_words(read)
    assert event is not None
    assert (event.asks, event.key) == (SignalKind.OPT_OUT, "7.0123456789abcdef")


@given(
    odd=st.dictionaries(
        st.sampled_from([*SendGridEvent.model_fields, "smtp-id", "delivery"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text()
            | st.sampled_from(["bounce", "dropped"]),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=4,
        ),
    )
)
def test_any_event_is_read_or_passed_over_and_the_one_behind_it_is_read(odd: dict[str, object]) -> None:
    good = {"event": "spamreport", "timestamp": 1635847200, "delivery": "7.0123456789abcdef"}
    first, second = read_events(json.dumps([odd, good]).encode())
    if first is not None:
        in_our_words(first)
    assert second == SendGridEvent.model_validate(good)
