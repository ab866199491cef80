"""Several messages in one conversation over real connections: what meets one of them is nobody else's."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from mlgroup_mail.delivery.transports.base import NOT_BEGUN
from mlgroup_mail.model import OutcomeKind
from tests.delivery.transports.messages import CONTENT, always, handed, make_message
from tests.servers.faults import Phase
from tests.servers.processes import HOST

ACCEPTED, REFUSED, DEFERRED, UNCERTAIN = (
    OutcomeKind.ACCEPTED,
    OutcomeKind.REFUSED,
    OutcomeKind.DEFERRED,
    OutcomeKind.UNCERTAIN,
)
BOTH_WAYS = pytest.mark.parametrize("pipelining", [False, True], ids=["lockstep", "pipelined"])
# Larger than what the system keeps for a connection, so that a server that reads no further is noticed.
LARGE = CONTENT + (b"x" * 76 + b"\r\n") * 120_000


def messages(number: int, **fields: Any):
    return [make_message(f"reader{index}@example.org", **fields) for index in range(number)]


def opened(transport):
    """As it is after its first window: with all the connections that it may have."""
    transport.open()
    transport.open()
    return transport


def told(wanted, outcomes) -> dict[str, OutcomeKind]:
    """What came of whom; each exactly once."""
    addresses = {message.attempt_id: message.address for message in wanted}
    assert sorted(outcome.attempt_id for outcome in outcomes) == sorted(addresses)
    return {addresses[outcome.attempt_id]: outcome.kind for outcome in outcomes}


def taken(server) -> Counter[str]:
    """Whom a whole message has come for, whatever was answered."""
    return Counter(address for message in server.taken for address in message.recipients)


def is_true(server, kinds: dict[str, OutcomeKind]) -> None:
    """Nobody twice; accepted is what was accepted; surely not accepted was not."""
    accepted = Counter(address for message in server.accepted for address in message.recipients)
    assert set(taken(server).values()) <= {1}
    for address, kind in kinds.items():
        assert (kind is ACCEPTED) <= accepted[address], address
        assert (kind in (DEFERRED, REFUSED)) <= (not accepted[address]), address


@pytest.fixture
def writes(monkeypatch) -> list[bytes]:
    """What was written to mail servers, write by write."""
    found: list[bytes] = []
    send = socket.socket.send

    def noted(sock, data, *flags):
        found.append(bytes(data))
        return send(sock, data, *flags)

    monkeypatch.setattr(socket.socket, "send", noted)
    return found


class TestWrites:
    def test_with_pipelining_three_messages_take_four_writes(self, start_faulty_smtp, transport_to, writes):
        server = start_faulty_smtp(pipelining=True)
        handed(transport_to(server), messages(3), always)

        assert [each.count(b"MAIL FROM") for each in writes] == [1, 1, 1, 0]
        assert [each.count(b"\r\n.\r\n") for each in writes] == [0, 1, 1, 1]

    def test_without_each_command_is_a_write_and_so_are_content_and_dot(self, faulty_smtp, transport_to, writes):
        handed(transport_to(faulty_smtp), messages(1), always)
        assert [each[:4] for each in writes] == [b"MAIL", b"RCPT", b"DATA", b"From", b".\r\n"]

    def test_each_message_arrives_as_it_was_made(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(pipelining=True)
        wanted = [make_message(content=CONTENT + b".%d\r\n" % number * number) for number in range(20)]
        handed(transport_to(server), wanted, always)
        assert [message.content for message in server.accepted] == [message.content for message in wanted]


FAULTS: list[tuple[Phase, dict[str, Any]]] = [
    *((phase, {"close": True}) for phase in (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT)),
    *((phase, {"stall": True}) for phase in (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT)),
    *((phase, {"reply": "what?"}) for phase in (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT)),
    *((phase, {"reply": "451 4.3.0 later"}) for phase in (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT)),
    *((phase, {"reply": "421 4.3.2 bye", "close": True}) for phase in (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT)),
    (Phase.RCPT, {"reply": "550 5.1.1 no such person"}),
    (Phase.DATA, {"reply": "554 5.6.0 no valid recipients"}),
    (Phase.DATA, {"reply": "354 go on", "close": True}),
    (Phase.DOT, {"reply": "554 5.6.0 seen enough"}),
    (Phase.DOT, {"reply": b"250 2.0.0 O", "close": True}),
    (Phase.DOT, {"reply": "250 2.0.0 Ok, goodbye", "close": True}),
]


@BOTH_WAYS
@pytest.mark.parametrize(("phase", "fault"), FAULTS, ids=str)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_meets_one_message_is_no_other_ones(start_faulty_smtp, transport_to, pipelining, phase, fault, which):
    server = start_faulty_smtp(pipelining=pipelining)
    server.on(phase, after=which, times=1, **fault)
    patience = 0.7 if fault.get("stall") else 10.0
    transport = transport_to(server, timeout=patience, answer_timeout=patience)
    wanted = messages(4)
    kinds = told(wanted, handed(transport, wanted, always))

    is_true(server, kinds)
    others = [kind for address, kind in kinds.items() if address != f"reader{which}@example.org"]
    assert set(others) == {ACCEPTED}


class TestRefusedRecipients:
    @BOTH_WAYS
    @pytest.mark.parametrize("lenient", [False, True])
    def test_a_refused_recipient_leaves_the_others_and_the_connection(
        self, start_faulty_smtp, transport_to, pipelining, lenient
    ):
        """`lenient`: a server that asks for the content of a message that it has refused the only recipient of."""
        server = start_faulty_smtp(pipelining=pipelining, lenient=lenient)
        server.on(Phase.RCPT, "550 5.1.1 no such person", to="reader1@example.org")
        wanted = messages(3)
        kinds = told(wanted, handed(transport_to(server), wanted, always))

        assert list(kinds.values()) == [ACCEPTED, REFUSED, ACCEPTED]
        assert server.connections == 1
        assert taken(server) == {"reader0@example.org": 1, "reader2@example.org": 1}
        assert all(message.content == CONTENT for message in server.taken if message.recipients)
        assert [message.content for message in server.taken if not message.recipients] == [b""] * (
            lenient and pipelining
        )

    def test_one_that_is_put_off_and_then_accepted_with_nobody_stays_put_off(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(pipelining=True, lenient=True)
        server.on(Phase.RCPT, "450 4.2.1 come back later", times=1)
        (outcome,) = handed(transport_to(server), messages(1), always)
        assert (outcome.kind, outcome.detail[:9]) == (DEFERRED, "450 4.2.1")

    def test_what_is_about_us_begins_no_further_message(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(pipelining=True)
        server.on(Phase.RCPT, "550 5.7.60 no permission to send as this sender")
        wanted = messages(4)
        outcomes = handed(transport_to(server), wanted, always)
        assert set(told(wanted, outcomes).values()) == {DEFERRED}
        assert sum(line.startswith("MAIL") for line in server.commands) == 1


class TestManyConnections:
    @BOTH_WAYS
    @pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT])
    @pytest.mark.parametrize("end", [{"close": True}, {"stall": True}], ids=["dies", "falls silent"])
    def test_one_of_ten_dies_and_the_others_are_untouched(
        self, start_faulty_smtp, transport_to, pipelining, phase, end
    ):
        server = start_faulty_smtp(pipelining=pipelining)
        transport = opened(transport_to(server, connections=10, timeout=1.0, answer_timeout=1.0))
        wanted = messages(20)
        server.on(phase, times=1, **end)
        kinds = told(wanted, handed(transport, wanted, always))

        is_true(server, kinds)
        assert Counter(kinds.values())[ACCEPTED] >= 19
        assert server.connections <= 11, "at most the one that died was made anew"

    @BOTH_WAYS
    def test_a_slow_reader_keeps_nobody_waiting(self, start_faulty_smtp, transport_to, pipelining):
        """Its connection takes no more bytes: the others go on, and it gets the rest when it reads again."""
        reads_on = threading.Event()
        server = start_faulty_smtp(pipelining=pipelining, room=1 << 20)
        server.on(Phase.BODY, until=reads_on, times=1)
        transport = opened(transport_to(server, connections=2, timeout=30.0, answer_timeout=30.0))
        wanted = [make_message("slow@example.org", content=LARGE), *messages(5)]
        outcomes, early = [], 0
        for outcome in transport.send(wanted, always):
            outcomes.append(outcome)
            if len(outcomes) == 3:
                early = len(server.accepted)
                reads_on.set()

        assert early >= 3
        assert set(told(wanted, outcomes).values()) == {ACCEPTED}
        assert Counter(len(message.content) for message in server.accepted)[len(LARGE)] == 1

    def test_a_message_behind_a_slow_reader_does_not_begin_when_its_time_is_over(self, start_faulty_smtp, transport_to):
        """Its commands wait behind the content of the one before: the question is asked when they can leave."""
        reads_on, asked = threading.Event(), []
        server = start_faulty_smtp(pipelining=True, room=1 << 20)
        server.on(Phase.BODY, until=reads_on, times=1)

        def may_begin() -> bool:
            asked.append(1)
            return len(asked) == 1

        threading.Timer(0.3, reads_on.set).start()
        wanted = [make_message("slow@example.org", content=LARGE), make_message("late@example.org")]
        outcomes = handed(transport_to(server), wanted, may_begin)

        assert told(wanted, outcomes) == {"slow@example.org": ACCEPTED, "late@example.org": DEFERRED}
        assert next(outcome.detail for outcome in outcomes if outcome.kind is DEFERRED) == NOT_BEGUN
        assert not any("late@example.org" in line for line in server.commands)

    def test_answers_in_the_middle_of_the_content_end_it(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(pipelining=True)
        server.on(Phase.BODY, "554 5.6.0 seen enough", times=1)
        wanted = [make_message("large@example.org", content=LARGE), *messages(2)]
        kinds = told(wanted, handed(transport_to(server), wanted, always))
        assert list(kinds.values()) == [REFUSED, ACCEPTED, ACCEPTED]


class Relay:
    """Passes bytes on between a client and a server in small pieces, as a bad line does."""

    def __init__(self, port: int, *, seed: int) -> None:
        self.host, self._to = HOST, port
        self._random = random.Random(seed)
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets = [self._listener]
        self._run(self._accept)

    def close(self) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)
        for sock in self._sockets:
            sock.close()

    def _run(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((HOST, self._to))
                self._sockets += [client, server]
                for one, other in ((client, server), (server, client)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._run(self._pass_on, one, other)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(self._random.choice((1, 7, 100, 5000))):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay_to() -> Iterator[Any]:
    """Makes relays to a port, and closes them at the end."""
    with contextlib.ExitStack() as stack:

        def make(port: int, seed: int) -> Relay:
            relay = Relay(port, seed=seed)
            stack.callback(relay.close)
            return relay

        yield make


@BOTH_WAYS
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("seed", [1, 2])
def test_over_a_line_that_cuts_everything_small(
    start_faulty_smtp, transport_to, certificate, relay_to, pipelining, tls, seed
):
    """Parts of TLS records, parts of lines, full buffers: everybody gets their own, whole."""
    server = start_faulty_smtp(tls=tls, certificate=certificate, pipelining=pipelining)
    server.on(Phase.RCPT, "550 5.1.1 no such person", to="reader3@example.org")
    options = {"tls": tls, "connections": 3, "timeout": 20.0, "answer_timeout": 20.0}
    if tls != "none":
        options["ca_file"] = certificate
    transport = opened(transport_to(relay_to(server.port, seed), **options))
    wanted = [
        make_message(f"reader{number}@example.org", content=CONTENT + (b"%d" % number * 70 + b"\r\n") * 400 * number)
        for number in range(9)
    ]
    kinds = told(wanted, handed(transport, wanted, always))

    assert Counter(kinds.values()) == {ACCEPTED: 8, REFUSED: 1}
    assert {message.recipients: message.content for message in server.accepted} == {
        (message.address,): message.content for message in wanted if message.address != "reader3@example.org"
    }


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_a_protected_connection_whose_reader_is_slow(start_faulty_smtp, transport_to, certificate, tls):
    """The write buffer is full in the middle of a record: it is written on when there is room, and comes whole."""
    reads_on = threading.Event()
    server = start_faulty_smtp(tls=tls, certificate=certificate, pipelining=True, room=1 << 20)
    server.on(Phase.BODY, until=reads_on, times=1)
    threading.Timer(0.3, reads_on.set).start()
    options = {"ca_file": certificate} if tls != "none" else {}
    transport = transport_to(server, tls=tls, timeout=30.0, answer_timeout=30.0, **options)
    wanted = [make_message("large@example.org", content=LARGE), *messages(2)]
    kinds = told(wanted, handed(transport, wanted, always))

    assert set(kinds.values()) == {ACCEPTED}
    assert server.accepted[0].content == LARGE


def test_a_real_server_that_pipelines_gets_each_message_once(smtp_sink, transport_to):
    transport = opened(transport_to(smtp_sink, connections=4))
    wanted = messages(80)
    outcomes = []
    for start in range(0, 80, 8):
        outcomes += handed(transport, wanted[start : start + 8], always)
    transport.close()

    assert set(told(wanted, outcomes).values()) == {ACCEPTED}
    assert smtp_sink.recipients() == {message.address: 1 for message in wanted}
