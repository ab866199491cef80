"""What each ending of each phase means: for the delivery, for whom else, and for the message that comes next."""

from __future__ import annotations

import select
import socket
from typing import Any

import pytest

from mlgroup_mail.errors import RefusedByServerError
from mlgroup_mail.model import OutcomeKind, Scope
from tests.delivery.transports.messages import CONTENT, always, handed, make_message
from tests.servers.faults import Phase

ACCEPTED, REFUSED, DEFERRED, UNCERTAIN = (
    OutcomeKind.ACCEPTED,
    OutcomeKind.REFUSED,
    OutcomeKind.DEFERRED,
    OutcomeKind.UNCERTAIN,
)
RECIPIENT, DOMAIN, SERVER = Scope.RECIPIENT, Scope.DOMAIN, Scope.SERVER
SAME, NEW, PAUSE = "over the same connection", "over a new connection", "after the mailing was paused"

Case = tuple[Phase, dict[str, Any], OutcomeKind, Scope, str]

# Phase, what the server does, what has become of the message, whom that is about, how the next one goes.
MAIL: list[Case] = [
    (Phase.MAIL, {"reply": "450 4.3.2 not now"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "452 4.3.1 no room"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "451 4.7.1 too many messages a minute"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "421 4.3.2 closing", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "421 4.3.2 closing"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"close": True}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"stall": True}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "what?"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": b"250-2.1.0 Ok\r\n", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": b"250 2.1.0 Ok\r\n550 5.1.1 no such person\r\n"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": b"250 2.1.0 Ok\r\n421 4.3.2 closing\r\n"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "354 go on"}, DEFERRED, SERVER, NEW),
    (Phase.MAIL, {"reply": "530 5.7.0 authentication required"}, DEFERRED, SERVER, PAUSE),
    (Phase.MAIL, {"reply": "550 5.7.60 no permission to send as this sender"}, DEFERRED, SERVER, PAUSE),
    (Phase.MAIL, {"reply": "552 5.3.4 too large"}, DEFERRED, SERVER, PAUSE),
    (Phase.MAIL, {"reply": "501 5.1.7 bad sender"}, DEFERRED, SERVER, PAUSE),
]
RCPT: list[Case] = [
    (Phase.RCPT, {"reply": "550 5.1.1 no such person"}, REFUSED, RECIPIENT, SAME),
    (Phase.RCPT, {"reply": "550 no such person"}, REFUSED, RECIPIENT, SAME),
    (Phase.RCPT, {"reply": "550-5.1.1 no\r\n550 5.1.1 such person"}, REFUSED, RECIPIENT, SAME),
    (Phase.RCPT, {"reply": "552 5.2.2 mailbox full"}, REFUSED, RECIPIENT, SAME),
    (
        Phase.RCPT,
        {"reply": "550 5.7.133 RESOLVER.RST; authentication required"},
        REFUSED,
        RECIPIENT,
        SAME,
    ),
    (Phase.RCPT, {"reply": "550 5.4.1 nobody there takes mail"}, REFUSED, DOMAIN, SAME),
    (Phase.RCPT, {"reply": "452 4.2.2 mailbox full"}, DEFERRED, RECIPIENT, SAME),
    (Phase.RCPT, {"reply": "450 4.2.0 Greylisted, come back later"}, DEFERRED, DOMAIN, SAME),
    (Phase.RCPT, {"reply": "451 4.7.1 too fast for us"}, DEFERRED, DOMAIN, SAME),
    (Phase.RCPT, {"reply": "451 4.4.1 their server does not answer"}, DEFERRED, DOMAIN, SAME),
    (Phase.RCPT, {"reply": "450 come back later"}, DEFERRED, DOMAIN, SAME),
    (Phase.RCPT, {"reply": "452 insufficient storage"}, DEFERRED, SERVER, SAME),
    (Phase.RCPT, {"reply": "452 4.5.3 too many recipients"}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"reply": "421 4.3.2 closing", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"close": True}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"stall": True}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"reply": "what?"}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"reply": "354 too early"}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"reply": "503 5.5.1 bad sequence of commands"}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"reply": b"250 2.1.5 Ok\r\n354 go on\r\n"}, DEFERRED, SERVER, NEW),
    (Phase.RCPT, {"reply": "530 5.7.57 client not authenticated"}, DEFERRED, SERVER, PAUSE),
    (Phase.RCPT, {"reply": "550 5.7.54 unable to relay in non-accepted domain"}, DEFERRED, SERVER, PAUSE),
    (Phase.RCPT, {"reply": "553 5.7.1 Sender address rejected: not owned by user"}, DEFERRED, SERVER, PAUSE),
    (Phase.RCPT, {"reply": "554 5.7.1 Client host blocked using a list"}, DEFERRED, SERVER, PAUSE),
    (Phase.RCPT, {"reply": "550 5.7.708 traffic not accepted from this IP"}, DEFERRED, SERVER, PAUSE),
]
DATA: list[Case] = [
    (Phase.DATA, {"reply": "554 5.6.0 no valid recipients"}, REFUSED, RECIPIENT, SAME),
    (Phase.DATA, {"reply": "451 4.3.0 not now"}, DEFERRED, SERVER, SAME),
    (Phase.DATA, {"reply": "452 insufficient storage"}, DEFERRED, SERVER, SAME),
    (Phase.DATA, {"reply": "421 4.3.2 closing", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"close": True}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"stall": True}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"reply": "what?"}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"reply": "250 misunderstood"}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"reply": "503 5.5.1 bad sequence of commands"}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"reply": b"354-go\r\n", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"reply": b"354 go on\r\n250 2.0.0 Ok: queued\r\n"}, DEFERRED, SERVER, NEW),
    (Phase.DATA, {"reply": "550 5.7.60 SendAsDenied"}, DEFERRED, SERVER, PAUSE),
]
BODY: list[Case] = [
    (Phase.BODY, {"close": True}, DEFERRED, SERVER, NEW),
    (Phase.BODY, {"reply": "421 4.3.2 closing", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.BODY, {"stall": True}, DEFERRED, SERVER, NEW),
    (Phase.BODY, {"reply": "250 2.0.0 Ok: queued, they say"}, DEFERRED, SERVER, NEW),
    (Phase.BODY, {"reply": "what?"}, DEFERRED, SERVER, NEW),
    (Phase.BODY, {"reply": "451 4.3.0 cannot go on"}, DEFERRED, SERVER, NEW),
    (Phase.BODY, {"reply": "554 5.6.0 seen enough"}, REFUSED, RECIPIENT, NEW),
    (Phase.BODY, {"reply": "552 5.3.4 too large"}, DEFERRED, SERVER, PAUSE),
]
DOT: list[Case] = [
    (Phase.DOT, {"reply": "250 2.0.0 Ok: queued as 4F2"}, ACCEPTED, SERVER, SAME),
    (Phase.DOT, {"reply": "250 2.0.0 Ok: queued as 4F2", "close": True}, ACCEPTED, SERVER, NEW),
    (Phase.DOT, {"reply": "250-2.0.0 Ok\r\n250 queued as 4F2"}, ACCEPTED, SERVER, SAME),
    (Phase.DOT, {"reply": b"250 2.0.0 Ok\r\n421 4.3.2 closing\r\n", "close": True}, ACCEPTED, SERVER, NEW),
    (Phase.DOT, {"reply": b"250 2.0.0 Ok\n"}, ACCEPTED, SERVER, SAME),
    (Phase.DOT, {"reply": b"250\r\n"}, ACCEPTED, SERVER, SAME),
    (Phase.DOT, {"reply": "450 4.2.0 try again"}, DEFERRED, RECIPIENT, SAME),
    (Phase.DOT, {"reply": "451 4.3.0 out of order"}, DEFERRED, SERVER, SAME),
    (Phase.DOT, {"reply": "432 4.3.2 sender thread limit exceeded"}, DEFERRED, SERVER, SAME),
    (Phase.DOT, {"reply": "452 insufficient storage"}, DEFERRED, SERVER, SAME),
    (Phase.DOT, {"reply": "421 4.3.2 closing", "close": True}, DEFERRED, SERVER, NEW),
    (Phase.DOT, {"reply": "554 5.7.1 looks like spam"}, REFUSED, RECIPIENT, SAME),
    (Phase.DOT, {"reply": "552 5.2.3 too large for this mailbox"}, REFUSED, RECIPIENT, SAME),
    (Phase.DOT, {"reply": "552 5.3.4 message too large"}, DEFERRED, SERVER, PAUSE),
    (Phase.DOT, {"reply": "554 5.2.0 SendAsDeniedException.MapiExceptionSendAsDenied"}, DEFERRED, SERVER, PAUSE),
    (Phase.DOT, {"reply": "550 5.7.515 required authentication level not met"}, DEFERRED, SERVER, PAUSE),
    (Phase.DOT, {"reply": "354 go on"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "220 welcome back"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "503 5.5.1 bad sequence of commands"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "what?"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "250x"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "2500 Ok"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "2_5 Ok"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": "554-5.6.0 no\r\n250 2.0.0 Ok"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"\xff\xfe\r\n"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"\r\n"}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"2", "close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"250", "close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"250 2.0.0 O", "close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"550 5.6.0 n", "close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"250-2.0.0 Ok\r\n", "close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"250-2.0.0 Ok\r\n", "stall": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"2" * 10_000 + b"\r\n", "close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"reply": b"250-more\r\n" * 10_000}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"close": True}, UNCERTAIN, SERVER, NEW),
    (Phase.DOT, {"stall": True}, UNCERTAIN, SERVER, NEW),
]
TABLE = [*MAIL, *RCPT, *DATA, *BODY, *DOT]

# One answer too many, where the next command has been said already: nothing tells it from the answer to that.
MISTAKEN: Case = (Phase.MAIL, {"reply": b"250 2.1.0 Ok\r\n550 5.1.1 no such person\r\n"}, REFUSED, RECIPIENT, NEW)

# Larger than what the system keeps for a connection, so that a server that reads no further is noticed.
LARGE = CONTENT + (b"x" * 76 + b"\r\n") * 120_000


def _name(case: Case) -> str:
    phase, fault = case[:2]
    reply = fault.get("reply", b"")
    first = reply.split(b"\r\n" if isinstance(reply, bytes) else "\r\n")[0][:30]
    doing = [name for name in ("close", "stall") if fault.get(name)]
    return "-".join([phase, *([repr(first)] if first else []), *doing])


def _pipelined(case: Case) -> Case:
    return MISTAKEN if case[:2] == MISTAKEN[:2] else case


WAYS = [(False, case) for case in TABLE] + [(True, _pipelined(case)) for case in TABLE]


def _way(value: object) -> str:
    return {False: "lockstep", True: "pipelined"}[value] if isinstance(value, bool) else _name(value)


@pytest.mark.parametrize(("pipelining", "case"), WAYS, ids=_way)
def test_every_ending_of_every_phase_has_one_meaning(start_faulty_smtp, transport_to, pipelining, case: Case):
    phase, fault, kind, scope, following = case
    faulty_smtp = start_faulty_smtp(pipelining=pipelining)
    faulty_smtp.on(phase, **fault)
    transport = transport_to(faulty_smtp, timeout=0.3, answer_timeout=0.3)
    content = LARGE if phase is Phase.BODY else CONTENT
    (outcome,) = handed(transport, [make_message(content=content)], always)
    connections = faulty_smtp.connections
    faulty_smtp.mend()

    assert outcome.kind is kind
    if kind is not ACCEPTED:
        assert outcome.scope is scope
    if following is PAUSE:
        assert not outcome.begun, "it was no try of this person's"
        with pytest.raises(RefusedByServerError) as raised:
            transport.open()
        assert str(fault["reply"])[:9] in str(raised.value)
        assert raised.value.problem.mend
    transport.open()
    (then,) = handed(transport, [make_message("next@example.org")], always)
    assert then.kind is ACCEPTED
    if following is not PAUSE:
        assert (faulty_smtp.connections > connections) == (following is NEW)
    assert [taken.recipients[0] for taken in faulty_smtp.accepted] == [
        *(["ada@example.org"] if kind is ACCEPTED else []),
        "next@example.org",
    ]


@pytest.mark.parametrize(("pipelining", "case"), WAYS, ids=_way)
def test_what_is_called_surely_not_accepted_has_not_been_taken(start_faulty_smtp, transport_to, pipelining, case: Case):
    phase, fault, kind, *_ = case
    faulty_smtp = start_faulty_smtp(pipelining=pipelining)
    faulty_smtp.on(phase, **fault)
    transport = transport_to(faulty_smtp, timeout=0.3, answer_timeout=0.3)
    handed(transport, [make_message(content=LARGE if phase is Phase.BODY else CONTENT)], always)
    transport.close()

    told_no = phase is Phase.DOT and str(fault.get("reply", ""))[:1] in "45"
    if kind in (DEFERRED, REFUSED) and not told_no:
        assert faulty_smtp.taken == []


@pytest.mark.parametrize("case", [case for case in TABLE if case[0] in (Phase.DATA, Phase.BODY, Phase.DOT)], ids=_name)
def test_nor_over_a_protected_connection(start_faulty_smtp, transport_to, certificate, case: Case):
    phase, fault, kind, *_ = case
    server = start_faulty_smtp(tls="implicit", certificate=certificate, pipelining=True)
    server.on(phase, **fault)
    transport = transport_to(server, tls="implicit", ca_file=certificate, timeout=0.5, answer_timeout=0.5)
    (outcome,) = handed(transport, [make_message(content=LARGE if phase is Phase.BODY else CONTENT)], always)

    assert outcome.kind is kind
    assert bool(server.accepted) == (kind is ACCEPTED)


@pytest.mark.parametrize("farewell", [{"close": True}, {"reply": "500 what?"}, {"reply": b"\xff\r\n"}, {"stall": True}])
def test_accepted_stays_accepted_whatever_becomes_of_the_goodbye(faulty_smtp, transport_to, monkeypatch, farewell):
    monkeypatch.setattr("mlgroup_mail.delivery.transports.smtp_connection._POLITENESS", 0.2)
    faulty_smtp.on(Phase.QUIT, **farewell)
    transport = transport_to(faulty_smtp)
    (outcome,) = handed(transport, [make_message()], always)
    transport.close()
    transport.close()

    assert outcome.kind is ACCEPTED
    assert faulty_smtp.commands[-1] == "QUIT"


@pytest.mark.parametrize(("written", "kind"), [(b".\r\n", UNCERTAIN), (None, DEFERRED)], ids=["dot", "body"])
def test_a_write_that_fails_is_told_by_what_was_being_written(faulty_smtp, transport_to, monkeypatch, written, kind):
    """Whatever the system says of the dot's write, it may have left; the body's writes cannot end a message."""
    transport = transport_to(faulty_smtp)
    transport.open()
    send = socket.socket.send

    def failing(sock, data, *flags):
        if data == written or (written is None and bytes(data).startswith(b"From: The group")):
            raise ConnectionResetError
        return send(sock, data, *flags)

    monkeypatch.setattr(socket.socket, "send", failing)
    (outcome,) = handed(transport, [make_message()], always)

    assert outcome.kind is kind


def test_a_yes_that_comes_between_body_and_dot_is_no_answer_to_the_dot(faulty_smtp, transport_to, monkeypatch):
    faulty_smtp.on(Phase.BODY, "250 2.0.0 Ok: queued, they say")
    transport = transport_to(faulty_smtp)
    transport.open()
    send = socket.socket.send

    def slowly(sock, data, *flags):
        size = send(sock, data, *flags)
        if bytes(data).startswith(b"From: The group"):
            select.select([sock], [], [], 5)
        return size

    monkeypatch.setattr(socket.socket, "send", slowly)
    (outcome,) = handed(transport, [make_message()], always)

    assert outcome.kind is DEFERRED
    assert faulty_smtp.taken == []
