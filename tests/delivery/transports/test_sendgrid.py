"""What came of a request to SendGrid: by its answer, or by the moment at which there is none.

The service is the fake one, whose truth log says who was accepted, whatever we were told.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlgroup_mail.delivery.transports.base import NOT_BEGUN
from mlgroup_mail.delivery.transports.sendgrid import SendGridTransport
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.delivery.transports.sendgrid_template import RequestTemplate
from mlgroup_mail.errors import RefusedByServerError, TransportError
from mlgroup_mail.model import Message, Outcome, OutcomeKind, Scope
from mlgroup_mail.model.message import CompiledMessage, MergeValues, Sender, Slot, SlotContext
from mlgroup_mail.testing.sendgrid import FakeSendGrid, Fault, Trouble, fake_sendgrid
from tests.delivery.transports.messages import always, handed, make_message
from tests.servers.certificates import make_certificate

DATE = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)
TEMPLATE = RequestTemplate.build(
    CompiledMessage(subject="News", html="<p>Dear reader</p>", text="Dear reader", language="en"),
    sender=Sender(name="The group", address="news@example.org"),
    list_id="newsletter.example.org",
    one_click=False,
)
SLOT = Slot(field="recipient.name", context=SlotContext.PLAIN)
Make = Callable[..., SendGridTransport]


def letters(*names: str) -> list[Message]:
    made = []
    for name in names:
        person = MergeValues(
            address=f"{name}@office.example",
            opt_out="mailto:g@example.org",
            opt_out_all="mailto:g@example.org",
            opt_out_mail="mailto:g@example.org?subject=opt%20out",
        )
        content = TEMPLATE.fill(person, message_id=f"<{name}@example.org>", date=DATE)
        made.append(dataclasses.replace(make_message(person.address, content=content), template=TEMPLATE))
    return made


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with fake_sendgrid() as running:
        yield running


@pytest.fixture
def transport_to() -> Iterator[Make]:
    with ExitStack() as stack:

        def make(url: str, key: str = "SG.key.of-a-test", **options: Any) -> SendGridTransport:
            account = SendGridAccount(url=url, key=key, **({"timeout": 5.0, "answer_timeout": 5.0} | options))
            transport = SendGridTransport(account)
            stack.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def transport(fake: FakeSendGrid, transport_to: Make) -> SendGridTransport:
    return transport_to(fake.url, fake.key)


def only(outcomes: Sequence[Outcome]) -> tuple[OutcomeKind, str]:
    """What all outcomes say alike."""
    kinds = {(outcome.kind, outcome.detail) for outcome in outcomes}
    assert len(kinds) == 1, kinds
    return kinds.pop()


def accepted(fake: FakeSendGrid) -> list[str]:
    return [each.address.partition("@")[0] for each in fake.accepted]


# What answers mean.


def test_a_window_is_one_request_and_202_accepts_everybody_in_it(
    fake: FakeSendGrid, transport: SendGridTransport
) -> None:
    messages = letters("ana", "bo", "cy")
    transport.open()
    outcomes = handed(transport, messages, always)
    assert [outcome.attempt_id for outcome in outcomes] == [message.attempt_id for message in messages]
    kind, detail = only(outcomes)
    assert kind is OutcomeKind.ACCEPTED
    assert detail == f"202 {fake.accepted[0].answer_id}"
    assert accepted(fake) == ["ana", "bo", "cy"]
    assert len(fake.requests) == 1


def test_the_connection_is_kept_between_windows(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    transport.open()
    handed(transport, letters("ana"), always)
    sock = transport._client._connection.sock
    assert transport.ready()
    handed(transport, letters("bo"), always)
    assert transport._client._connection.sock is sock


def test_a_202_counts_whatever_happens_to_its_body(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    fake.faults.add(Fault(trouble=Trouble.CUTS_BODY, status=202, taken=True))
    assert only(handed(transport, letters("ana", "bo"), always))[0] is OutcomeKind.ACCEPTED
    assert not transport.ready()
    assert only(handed(transport, letters("cy"), always))[0] is OutcomeKind.ACCEPTED
    assert accepted(fake) == ["ana", "bo", "cy"]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        {"trouble": Trouble.RESETS_AFTER},
        {"trouble": Trouble.CUTS_STATUS},
        *({"trouble": Trouble.ANSWERS, "status": status} for status in (500, 502, 503, 504, 200, 201, 204, 599)),
    ],
)
def test_without_a_word_that_tells_it_is_uncertain_for_everybody(
    fake: FakeSendGrid, transport: SendGridTransport, fault: dict[str, Any], taken: bool
) -> None:
    """The same answer comes whether they were accepted or not: nobody is written to again by code."""
    fake.faults.add(Fault(taken=taken, **fault))
    outcomes = handed(transport, letters("ana", "bo"), always)
    assert only(outcomes)[0] is OutcomeKind.UNCERTAIN
    assert len(outcomes) == 2
    assert len(fake.requests) == 1
    assert accepted(fake) == (["ana", "bo"] if taken else [])


@pytest.mark.parametrize("trouble", [Trouble.RESETS_BEFORE, Trouble.RESETS_DURING])
def test_a_request_that_had_begun_is_uncertain_when_the_connection_breaks(
    fake: FakeSendGrid, transport: SendGridTransport, trouble: Trouble
) -> None:
    fake.faults.add(Fault(trouble=trouble))
    assert only(handed(transport, letters("ana", "bo"), always)) == (
        OutcomeKind.UNCERTAIN,
        "the connection broke before the answer",
    )
    assert len(fake.requests) == 1, "nothing is sent twice by itself"


def test_no_answer_in_time_is_uncertain(fake: FakeSendGrid, transport_to: Make) -> None:
    fake.faults.add(Fault(trouble=Trouble.WAITS, seconds=1.0))
    transport = transport_to(fake.url, fake.key, answer_timeout=0.2)
    kind, _ = only(handed(transport, letters("ana"), always))
    assert kind is OutcomeKind.UNCERTAIN


def test_an_answer_that_trickles_ends_in_time(transport_to: Make) -> None:
    """Each byte comes in time, the answer never does."""
    with talking(lambda peer: [peer.sendall(b"H"), time.sleep(0.05)], times=100) as url:
        transport = transport_to(url, answer_timeout=0.5)
        begun = time.monotonic()
        assert only(handed(transport, letters("ana"), always))[0] is OutcomeKind.UNCERTAIN
        assert time.monotonic() - begun < 4.0


def test_a_bad_recipient_alone_is_refused_and_told_without_the_address(
    fake: FakeSendGrid, transport: SendGridTransport
) -> None:
    fake.refuses.add("ana@office.example")
    (outcome,) = handed(transport, letters("ana"), always)
    assert (outcome.kind, outcome.scope, outcome.half) == (OutcomeKind.REFUSED, Scope.RECIPIENT, None)
    assert outcome.detail == "400 personalizations.0.to.0.email: Does not contain a valid address."


@pytest.mark.parametrize("status", [400, 413])
def test_a_request_refused_as_a_whole_is_halved_to_find_whom_it_is_about(
    fake: FakeSendGrid, transport: SendGridTransport, status: int
) -> None:
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=status))
    outcomes = handed(transport, letters("a", "b", "c", "d", "e"), always)
    assert [outcome.half for outcome in outcomes] == [0, 0, 0, 1, 1]
    assert only(outcomes)[0] is OutcomeKind.DEFERRED
    assert all(outcome.begun for outcome in outcomes)
    assert transport.ready()
    transport.open()


def test_halving_reaches_everybody_but_the_bad_ones(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    """As the ledger does it: each half is a window of its own."""
    fake.refuses |= {"p3@office.example", "p11@office.example"}
    people = letters(*(f"p{number}" for number in range(16)))
    windows, refused = [people], []
    while windows:
        window = windows.pop(0)
        outcomes = {outcome.attempt_id: outcome for outcome in handed(transport, window, always)}
        halves: list[list[Message]] = [[], []]
        for message in window:
            outcome = outcomes[message.attempt_id]
            if outcome.half is not None:
                halves[outcome.half].append(message)
            elif outcome.kind is OutcomeKind.REFUSED:
                refused.append(message.address)
        windows += [half for half in halves if half]
    assert sorted(refused) == ["p11@office.example", "p3@office.example"]
    assert sorted(accepted(fake)) == sorted(f"p{number}" for number in range(16) if number not in (3, 11))


@pytest.mark.parametrize(
    ("answer", "mend"),
    [
        ({"status": 401}, "MLGROUP_SENDGRID_API_KEY"),
        ({"status": 403}, "Mail Send"),
        ({"status": 404}, "MLGROUP_SENDGRID_URL"),
        ({"status": 301, "headers": {"Location": "http://127.0.0.1:1/"}}, "MLGROUP_SENDGRID_URL"),
        ({"status": 307, "headers": {"Location": "/v3/mail/send"}}, "MLGROUP_SENDGRID_URL"),
        ({"status": 400, "body": '{"errors":[{"message":"bad","field":"from.email"}]}'}, "all recipients share"),
    ],
)
def test_what_refuses_us_altogether_marks_nobody_and_is_raised_next(
    fake: FakeSendGrid, transport: SendGridTransport, answer: dict[str, Any], mend: str
) -> None:
    """A wrong key, a sender that is not ours, a redirect: it is not about the recipients. Nothing is followed."""
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, **answer))
    outcomes = handed(transport, letters("ana", "bo"), always)
    assert only(outcomes)[0] is OutcomeKind.DEFERRED
    assert not any(outcome.begun for outcome in outcomes)
    assert {outcome.scope for outcome in outcomes} == {Scope.SERVER}
    assert not transport.ready()
    with pytest.raises(RefusedByServerError, match=mend):
        transport.open()
    transport.open()
    assert len(fake.requests) == 1


@pytest.mark.parametrize("status", [408, 429])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"X-RateLimit-Reset": "1634716830", "Date": "Wed, 20 Oct 2021 08:00:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 20 Oct 2021 08:00:20 GMT", "Date": "Wed, 20 Oct 2021 08:00:00 GMT"}, 20.0),
        ({}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "99999999"}, 3600.0),
    ],
)
def test_too_many_requests_wait_for_as_long_as_told(
    fake: FakeSendGrid, transport: SendGridTransport, headers: dict[str, str], seconds: float | None, status: int
) -> None:
    """For everybody: it is about us, and nobody's try. Where no time is told this process asks no more."""
    fake.faults.add(Fault(trouble=Trouble.ANSWERS_EARLY, status=status, headers=headers))
    outcomes = handed(transport, letters("ana", "bo"), always)
    assert only(outcomes)[0] is OutcomeKind.DEFERRED
    assert {outcome.scope for outcome in outcomes} == {Scope.SERVER}
    assert {outcome.half for outcome in outcomes} == {None}
    (told,) = {outcome.retry_after for outcome in outcomes}
    assert told == seconds
    assert not any(outcome.begun for outcome in outcomes)
    if seconds is None:
        with pytest.raises(TransportError) as raised:
            transport.open()
        assert raised.value.temporary
        assert not isinstance(raised.value, RefusedByServerError)
    transport.open()


def test_who_answers_before_the_request_is_whole_is_heard(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    """A server that finds it too large hangs up in the middle of it; its answer says that nobody was accepted."""
    large = dataclasses.replace(TEMPLATE, text="x" * 20_000_000)
    messages = [dataclasses.replace(message, template=large) for message in letters("ana", "bo")]
    fake.faults.add(Fault(trouble=Trouble.ANSWERS_EARLY, status=413))
    outcomes = handed(transport, messages, always)
    assert [outcome.half for outcome in outcomes] == [0, 1]


# Before the first byte.


def test_may_begin_is_asked_right_before_the_request(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    transport.open()
    asked: list[int] = []

    def may_not() -> bool:
        asked.append(len(fake.requests))
        return False

    outcomes = handed(transport, letters("ana", "bo"), may_not)
    assert only(outcomes) == (OutcomeKind.DEFERRED, NOT_BEGUN)
    assert not any(outcome.begun for outcome in outcomes)
    assert asked == [0]
    assert not fake.requests
    assert transport.ready()


def test_a_server_that_is_not_there_is_told_before_anything_is_claimed(transport_to: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    transport = transport_to(f"http://127.0.0.1:{port}")
    assert not transport.ready()
    with pytest.raises(TransportError, match="connection refused") as raised:
        transport.open()
    assert raised.value.temporary


def test_a_server_that_goes_between_windows_is_surely_not_reached(
    fake: FakeSendGrid, transport: SendGridTransport
) -> None:
    transport.open()
    fake.close()
    outcomes = handed(transport, letters("ana", "bo"), always)
    assert only(outcomes)[0] is OutcomeKind.DEFERRED
    assert not any(outcome.begun for outcome in outcomes)
    with pytest.raises(TransportError):
        transport.open()


def test_a_connection_that_the_server_has_closed_is_made_anew(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    """Else the next request would leave in doubt whether it arrived."""
    fake.faults.add(Fault(trouble=Trouble.CLOSES))
    handed(transport, letters("ana"), always)
    _eventually(lambda: not transport.ready())
    assert only(handed(transport, letters("bo"), always))[0] is OutcomeKind.ACCEPTED
    assert accepted(fake) == ["ana", "bo"]


def test_a_connection_that_was_silent_for_long_is_made_anew(
    fake: FakeSendGrid, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(transport, letters("ana"), always)
    assert transport.ready()
    monkeypatch.setattr("mlgroup_mail.delivery.transports.sendgrid_client._LONGEST_SILENCE", 0.0)
    assert not transport.ready()
    assert only(handed(transport, letters("bo"), always))[0] is OutcomeKind.ACCEPTED


# Interruptions.


def test_interrupted_it_still_tells_what_came_of_the_request(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    fake.faults.add(Fault(trouble=Trouble.WAITS, seconds=0.5))
    known: list[Outcome] = []
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        _tell(transport, letters("ana", "bo"), known)
    assert only(known)[0] is OutcomeKind.ACCEPTED
    assert len(known) == 2


def test_interrupted_it_does_not_wait_for_ever(
    fake: FakeSendGrid, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlgroup_mail.delivery.transports.sendgrid._PATIENCE_WHEN_INTERRUPTED", 0.1)
    fake.faults.add(Fault(trouble=Trouble.WAITS, seconds=3.0))
    known: list[Outcome] = []
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        _tell(transport, letters("ana"), known)
    assert only(known)[0] is OutcomeKind.UNCERTAIN


def _tell(transport: SendGridTransport, messages: list[Message], known: list[Outcome]) -> None:
    for outcome in transport.send(messages, always):
        known.append(outcome)


# Secrets, TLS, the sandbox.


def test_neither_key_nor_addresses_reach_a_log_or_a_detail(
    fake: FakeSendGrid, transport: SendGridTransport, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG too, and where the answer quotes both; nor does the account show its key."""
    caplog.set_level(logging.DEBUG)
    body = f'{{"errors":[{{"message":"You sent {fake.key} ana@office.example ana%40office.example","field":null}}]}}'
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=400, body=body), Fault(trouble=Trouble.RESETS_AFTER))
    outcomes = [
        *handed(transport, letters("ana"), always),
        *handed(transport, letters("bo"), always),
        *handed(transport, letters("cy"), always),
    ]
    assert outcomes[0].detail == "400 You sent … a…@office.example a…@office.example"
    told = caplog.text + repr(outcomes) + repr(transport._account)
    for secret in (fake.key, "ana@", "bo@", "cy@"):
        assert secret not in told
    assert caplog.records


def test_over_tls_the_certificate_must_be_trusted(certificate: Path, transport_to: Make) -> None:
    with fake_sendgrid(certificate=certificate) as fake:
        trusted = transport_to(fake.url, fake.key, ca_file=certificate)
        for name in ("ana", "bo"):
            trusted.open()
            assert trusted.ready(), "a ticket of the session is no farewell"
            assert only(handed(trusted, letters(name), always))[0] is OutcomeKind.ACCEPTED
        stranger = transport_to(fake.url, fake.key)
        with pytest.raises(TransportError, match="certificate cannot be trusted"):
            stranger.open()
        outcomes = handed(stranger, letters("cy"), always)
        assert not any(outcome.begun for outcome in outcomes)
        assert accepted(fake) == ["ana", "bo"]


def test_another_servers_certificate_is_not_trusted(tmp_path: Path, transport_to: Make) -> None:
    other = make_certificate(tmp_path, name="other.example")
    with fake_sendgrid(certificate=other) as fake:
        transport = transport_to(fake.url, fake.key, ca_file=other)
        with pytest.raises(TransportError, match="certificate cannot be trusted"):
            transport.open()


def test_in_the_sandbox_200_is_as_good(fake: FakeSendGrid, transport_to: Make) -> None:
    """It means: right, and nobody gets it."""
    transport = transport_to(fake.url, fake.key, sandbox=True)
    assert only(handed(transport, letters("ana"), always))[0] is OutcomeKind.ACCEPTED
    assert accepted(fake) == []


def test_a_wrong_key_is_told(fake: FakeSendGrid, transport_to: Make) -> None:
    transport = transport_to(fake.url, "SG.wrong.key")
    handed(transport, letters("ana"), always)
    with pytest.raises(RefusedByServerError, match=r"401 .*invalid, expired, or revoked"):
        transport.open()


# Servers that the fake is not.


@contextmanager
def talking(say: Callable[[socket.socket], object], *, times: int = 1, reads: int = 1_000_000) -> Iterator[str]:
    """A server that reads so much of one request, says something so many times, and resets the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.settimeout(5)
                peer.recv(reads)
                try:
                    for _ in range(times):
                        say(peer)
                    time.sleep(0.2)
                except OSError:
                    return
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=10)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 2",
        b"220 smtp.example ESMTP\r\n",
        b"HTTP/1.1 999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"<html>hello</html>",
        b"\x16\x03\x01\x00\x00",
        b"HTTP/1.1 202 Accepted\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 103 Early\r\n\r\n",
    ],
)
def test_what_is_no_answer_of_sendgrids_is_uncertain(transport_to: Make, said: bytes) -> None:
    with talking(lambda peer: peer.sendall(said)) as url:
        assert only(handed(transport_to(url), letters("ana"), always))[0] is OutcomeKind.UNCERTAIN


def _eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    assert holds()


def test_those_who_go_alone_are_claimed_one_by_one(fake: FakeSendGrid, transport: SendGridTransport) -> None:
    """Else each of their requests would claim a thousand, and hand all but one back."""
    many_tags = tuple((f"{number:024}", tag) for number, tag in enumerate([SLOT] * 101))
    crowded = dataclasses.replace(TEMPLATE, tags=many_tags)
    person = MergeValues(address="z@office.example", opt_out="", opt_out_all="", opt_out_mail="mailto:g@example.org")
    content = crowded.fill(person, message_id="<z@example.org>", date=DATE)
    alone = dataclasses.replace(make_message("z@office.example", content=content), template=crowded)
    outcomes = handed(transport, [*letters("ana"), alone], always)
    assert [(outcome.kind, outcome.begun) for outcome in outcomes] == [
        (OutcomeKind.ACCEPTED, True),
        (OutcomeKind.DEFERRED, False),
    ]
    assert transport.window == 1000
    assert only(handed(transport, [alone], always))[0] is OutcomeKind.ACCEPTED
    assert transport.window == 1
    handed(transport, letters("bo"), always)
    assert transport.window == 1000
    assert accepted(fake) == ["ana", "z", "bo"]
