"""Several connections, made when needed and made anew when worn: nobody loses a turn, nobody gets two messages."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter

import pytest

from mlgroup_mail.delivery.transports import smtp_engine, smtp_pool
from mlgroup_mail.delivery.transports.base import NOT_BEGUN
from mlgroup_mail.delivery.transports.smtp_line import Line
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Outcome, OutcomeKind, Scope
from tests.delivery.transports.messages import CONTENT, always, handed, make_message
from tests.servers.faults import Phase

ACCEPTED, DEFERRED, UNCERTAIN = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN


def messages(number: int):
    return [make_message(f"reader{index}@example.org") for index in range(number)]


def kinds(outcomes) -> Counter[OutcomeKind]:
    return Counter(outcome.kind for outcome in outcomes)


def each_once(server) -> None:
    got = Counter(address for taken in server.accepted for address in taken.recipients)
    assert set(got.values()) <= {1}


def opened(transport):
    """As it is after its first window: with all the connections that it may have."""
    transport.open()
    transport.open()
    return transport


def eventually(holds) -> bool:
    for _ in range(1000):
        if holds():
            return True
        time.sleep(0.01)
    return False


class TestSharing:
    def test_a_window_is_two_messages_a_connection(self, faulty_smtp, transport_to):
        assert transport_to(faulty_smtp).window == 2
        assert transport_to(faulty_smtp, connections=3).window == 6

    def test_three_connections_have_three_messages_in_the_air_at_once(self, faulty_smtp, transport_to):
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered)
        transport = opened(transport_to(faulty_smtp, connections=3, answer_timeout=30.0))
        outcomes: list[Outcome] = []
        sending = threading.Thread(target=lambda: outcomes.extend(transport.send(messages(6), always)))
        sending.start()
        together = eventually(lambda: len(faulty_smtp.taken) == 3)
        answered.set()
        sending.join()

        assert together
        assert faulty_smtp.connections == 3
        assert kinds(outcomes) == {ACCEPTED: 6}
        each_once(faulty_smtp)

    def test_each_outcome_is_told_as_soon_as_it_is_known(self, faulty_smtp, transport_to):
        """A server that takes ten minutes over one message must not keep the others' outcomes from the ledger."""
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered, to="reader0@example.org")
        transport = opened(transport_to(faulty_smtp, connections=2, answer_timeout=30.0))
        slow, *quick = messages(4)
        outcomes = transport.send([slow, *quick], always)
        first = [next(outcomes).attempt_id for _ in quick]
        answered.set()

        assert sorted(first) == [message.attempt_id for message in quick]
        assert [outcome.attempt_id for outcome in outcomes] == [slow.attempt_id]

    def test_one_message_takes_one_connection(self, faulty_smtp, transport_to):
        transport = transport_to(faulty_smtp, connections=3)
        transport.open()
        assert kinds(handed(transport, messages(1), always)) == {ACCEPTED: 1}
        assert faulty_smtp.connections == 1

    def test_a_real_server_gets_each_message_once_over_several_connections(self, smtp_sink, transport_to):
        transport = transport_to(smtp_sink, connections=4)
        outcomes = []
        wanted = messages(80)
        for start in range(0, 80, 8):
            transport.open()
            outcomes += handed(transport, wanted[start : start + 8], always)
        transport.close()

        assert kinds(outcomes) == {ACCEPTED: 80}
        assert sorted(outcome.attempt_id for outcome in outcomes) == [message.attempt_id for message in wanted]
        assert smtp_sink.recipients() == {message.address: 1 for message in wanted}

    def test_whether_it_may_begin_is_asked_for_each_message(self, faulty_smtp, transport_to):
        lock, asked = threading.Lock(), []

        def the_first_two() -> bool:
            with lock:
                asked.append(1)
                return len(asked) <= 2

        outcomes = handed(opened(transport_to(faulty_smtp, connections=2)), messages(4), the_first_two)

        assert kinds(outcomes) == {ACCEPTED: 2, DEFERRED: 2}
        assert all(not o.begun and o.detail == NOT_BEGUN for o in outcomes if o.kind is DEFERRED)
        assert len(faulty_smtp.taken) == 2


class TestFewerConnections:
    @pytest.mark.parametrize(
        "refusing",
        ["421 4.7.0 too many connections", "454 4.7.0 too many connections", "554 5.7.1 no more of you"],
    )
    def test_where_the_server_lets_us_have_one_it_goes_on_with_one(self, start_faulty_smtp, transport_to, refusing):
        server = start_faulty_smtp(most_connections=1, refusing=refusing)
        transport = opened(transport_to(server, connections=3))
        for _ in range(2):
            assert transport.ready()
            assert kinds(handed(transport, messages(6), always)) == {ACCEPTED: 6}
            transport.open()

        assert server.connections == 2, "and does not ask again and again"

    def test_it_asks_for_more_after_a_while(self, start_faulty_smtp, transport_to, monkeypatch):
        server = start_faulty_smtp(most_connections=1)
        transport = opened(transport_to(server, connections=2))
        assert transport.ready()
        monkeypatch.setattr(smtp_pool.time, "monotonic", lambda: time.perf_counter() + 10**9)

        assert not transport.ready()
        transport.open()
        assert server.connections == 3

    def test_where_it_lets_us_have_none_that_is_an_error(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(most_connections=0)
        with pytest.raises(TransportError, match="too many connections") as raised:
            transport_to(server, connections=3).open()
        assert raised.value.temporary

    def test_a_connection_that_does_not_come_back_leaves_its_message_to_the_others(self, faulty_smtp, transport_to):
        transport = opened(transport_to(faulty_smtp, connections=2))
        faulty_smtp.on(Phase.MAIL, "421 4.3.2 one of us has to go", close=True, times=1)
        faulty_smtp.on(Phase.GREETING, "421 4.3.2 and stays away", close=True)
        (gone,) = handed(transport, [make_message()], always)
        outcomes = handed(transport, messages(4), always)
        transport.open()

        assert (gone.kind, gone.scope) == (DEFERRED, Scope.SERVER)
        assert kinds(outcomes)[ACCEPTED] >= 3
        # It was put back when the other one had just found nothing left to do: its turn comes with the next claim.
        assert all(not outcome.begun for outcome in outcomes if outcome.kind is not ACCEPTED)
        each_once(faulty_smtp)


class TestRenewal:
    @pytest.mark.parametrize(
        "enough",
        [
            "421 4.4.2 too many messages over this connection",
            "451 4.7.0 too many messages over this connection",
            "452 4.5.3 too many messages over this connection",
        ],
    )
    def test_a_server_that_counts_messages_costs_nobody_a_try(self, start_faulty_smtp, transport_to, enough):
        server = start_faulty_smtp(messages_each=2, enough=enough)
        assert kinds(handed(transport_to(server), messages(7), always)) == {ACCEPTED: 7}
        assert server.connections == 4
        each_once(server)

    def test_nor_does_one_that_counts_recipients(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.RCPT, "452 4.5.3 too many recipients", after=2, times=1)
        assert kinds(handed(transport_to(faulty_smtp), messages(4), always)) == {ACCEPTED: 4}
        assert faulty_smtp.connections == 2

    def test_we_count_ourselves_and_take_leave_politely(self, faulty_smtp, transport_to):
        handed(transport_to(faulty_smtp, messages_per_connection=2), messages(5), always)

        assert faulty_smtp.connections == 3
        assert faulty_smtp.commands.count("QUIT") == 2
        assert len(faulty_smtp.accepted) == 5

    def test_a_server_that_always_says_no_is_asked_once_a_message(self, faulty_smtp, transport_to):
        """A new connection is tried where the old one had served; it is no way of asking again and again."""
        faulty_smtp.on(Phase.MAIL, "451 4.3.2 not now")
        outcomes = handed(transport_to(faulty_smtp), messages(3), always)

        assert kinds(outcomes) == {DEFERRED: 3}
        assert {outcome.scope for outcome in outcomes} == {Scope.SERVER}
        assert sum(line.startswith("MAIL") for line in faulty_smtp.commands) == 3

    def test_a_message_whose_final_dot_was_written_is_never_begun_again(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.DOT, "421 4.3.2 closing", close=True, after=1, times=1)
        outcomes = handed(transport_to(faulty_smtp), messages(3), always)

        assert kinds(outcomes) == {ACCEPTED: 2, DEFERRED: 1}
        assert len(faulty_smtp.taken) == 3


class TestRefusal:
    def test_what_is_about_us_stops_all_connections_and_refuses_nobody(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.RCPT, "550 5.7.60 no permission to send as this sender")
        transport = opened(transport_to(faulty_smtp, connections=2))
        outcomes = handed(transport, messages(20), always)

        assert kinds(outcomes) == {DEFERRED: 20}
        assert {outcome.begun for outcome in outcomes} == {False}
        assert sum(line.startswith("RCPT") for line in faulty_smtp.commands) <= 2
        with pytest.raises(TransportError, match="takes nothing from this sender"):
            transport.open()


def interrupting(transport, wanted, when):
    """Send, and be interrupted as by Ctrl-C as soon as `when` holds; returns what was told until the end."""
    outcomes: list[Outcome] = []

    def interrupt() -> None:
        eventually(when)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        outcomes.extend(transport.send(wanted, always))
    return {outcome.attempt_id: outcome for outcome in outcomes}


class TestInterruption:
    """Ctrl-C in the middle: what is known is kept, what is in the air is told by how far it had come."""

    LARGE = CONTENT + (b"x" * 76 + b"\r\n") * 120_000

    def test_everybody_has_the_outcome_that_is_true(self, faulty_smtp, transport_to, monkeypatch):
        monkeypatch.setattr("mlgroup_mail.delivery.transports.smtp._PATIENCE_WHEN_INTERRUPTED", 0.3)
        faulty_smtp.on(Phase.DOT, stall=True, to="doubt@example.org")
        faulty_smtp.on(Phase.BODY, stall=True, after=2)
        transport = opened(transport_to(faulty_smtp, connections=2, timeout=30.0, answer_timeout=30.0))
        done, doubt, within, never = (
            make_message("done@example.org"),
            make_message("doubt@example.org"),
            make_message("within@example.org", content=self.LARGE),
            make_message("never@example.org"),
        )
        outcomes = interrupting(
            transport,
            [done, doubt, within, never],
            lambda: len(faulty_smtp.taken) == 2 and sum(line == "DATA" for line in faulty_smtp.commands) == 3,
        )
        transport.close()

        assert outcomes[done.attempt_id].kind is ACCEPTED
        assert outcomes[doubt.attempt_id].kind is UNCERTAIN
        assert outcomes[within.attempt_id].kind is DEFERRED
        assert (outcomes[never.attempt_id].kind, outcomes[never.attempt_id].begun) == (DEFERRED, False)
        assert "QUIT" not in faulty_smtp.commands, "it would be read as part of a message"

    def test_an_answer_that_is_on_its_way_is_still_heard(self, faulty_smtp, transport_to, monkeypatch):
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered)
        transport = opened(transport_to(faulty_smtp, answer_timeout=30.0))
        first, second = messages(2)
        cut = Line.cut

        def answered_right_after(line, **options):
            cut(line, **options)
            answered.set()

        monkeypatch.setattr(Line, "cut", answered_right_after)
        outcomes = interrupting(transport, [first, second], lambda: len(faulty_smtp.taken) == 1)

        assert outcomes[first.attempt_id].kind is ACCEPTED
        assert (outcomes[second.attempt_id].kind, outcomes[second.attempt_id].begun) == (DEFERRED, False)
        assert len(faulty_smtp.taken) == 1

    def test_whoever_stops_listening_leaves_no_message_in_the_air(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.DOT, stall=True, after=1)
        transport = transport_to(faulty_smtp, answer_timeout=30.0)
        outcomes = transport.send(messages(3), always)
        assert next(outcomes).kind is ACCEPTED
        outcomes.close()
        transport.close()

        assert len(faulty_smtp.taken) <= 2
        assert sum(line.startswith("MAIL") for line in faulty_smtp.commands) <= 2


class TestUnforeseen:
    """An error that nobody thought of is told by how far the message had come. Its text is nobody's."""

    def test_an_address_that_no_bytes_can_be_made_of_is_put_off_and_the_others_go(
        self, start_faulty_smtp, transport_to, caplog
    ):
        server = start_faulty_smtp(smtputf8=True)
        bad = make_message("lone\udc80@example.org")
        outcomes = handed(transport_to(server), [*messages(1), bad, *messages(1)], always)

        assert kinds(outcomes) == {ACCEPTED: 2, DEFERRED: 1}
        assert next(o for o in outcomes if o.kind is DEFERRED).attempt_id == bad.attempt_id
        assert "UnicodeEncodeError" in caplog.text
        assert "lone" not in caplog.text

    def test_an_error_before_the_first_byte_is_this_messages_alone(
        self, faulty_smtp, transport_to, monkeypatch, caplog
    ):
        def broken(message, abilities):
            if message is bad:
                raise LookupError("secret: ada@example.org")
            return letter_of(message, abilities)

        letter_of = smtp_engine.letter_of
        monkeypatch.setattr(smtp_engine, "letter_of", broken)
        wanted = messages(3)
        bad = wanted[1]
        outcomes = handed(transport_to(faulty_smtp), wanted, always)

        assert kinds(outcomes) == {ACCEPTED: 2, DEFERRED: 1}
        assert next(o for o in outcomes if o.kind is DEFERRED).attempt_id == bad.attempt_id
        assert "LookupError" in caplog.text
        assert "secret" not in caplog.text

    @pytest.mark.parametrize(
        ("before", "kind"),
        [("MAIL", DEFERRED), ("RCPT", DEFERRED), ("DATA", DEFERRED), ("From", DEFERRED), (".", UNCERTAIN)],
    )
    def test_one_in_the_middle_is_told_by_how_far_the_message_had_come(
        self, faulty_smtp, transport_to, monkeypatch, caplog, before, kind
    ):
        def broken(line, piece):
            if bytes(piece).startswith(before.encode()) and not failed:
                failed.append(line.talk.writing(len(piece)))
                raise ValueError("secret: ada@example.org")
            return write(line, piece)

        failed, write = [], Line.write
        monkeypatch.setattr(Line, "write", broken)
        outcomes = handed(transport_to(faulty_smtp), messages(2), always)

        assert kinds(outcomes) == {kind: 1, ACCEPTED: 1}
        assert len(faulty_smtp.taken) == 1
        assert "ValueError" in caplog.text
        for text in [caplog.text, *(outcome.detail for outcome in outcomes)]:
            assert "secret" not in text

    def test_a_login_whose_challenge_nobody_can_read_claims_nothing(self, start_faulty_smtp, transport_to, caplog):
        server = start_faulty_smtp(login=("group", "right-password"))
        server.on(Phase.AUTH, "334 a")
        transport = transport_to(server, user="group", password="right-password")
        with pytest.raises(TransportError, match="nobody foresaw") as raised:
            transport.open()

        assert raised.value.temporary
        assert "Error" in caplog.text
        assert "right-password" not in caplog.text

    def test_nor_does_one_in_the_middle_of_a_window_leave_doubt(self, start_faulty_smtp, transport_to):
        server = start_faulty_smtp(login=("group", "right-password"), messages_each=1)
        server.on(Phase.AUTH, "334 a", after=1)
        transport = transport_to(server, user="group", password="right-password")
        outcomes = handed(transport, messages(3), always)

        assert kinds(outcomes) == {ACCEPTED: 1, DEFERRED: 2}
        assert not any(outcome.begun for outcome in outcomes if outcome.kind is DEFERRED)
