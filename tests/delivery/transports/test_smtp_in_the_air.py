"""What is in the air while the next deliveries are claimed: answered later, by its own claim's rules, never lost."""

from __future__ import annotations

import threading

from mlgroup_mail.delivery.transports.base import NOT_BEGUN
from mlgroup_mail.model import OutcomeKind
from tests.delivery.transports.messages import always, handed, make_message
from tests.delivery.transports.test_smtp_connections import eventually, kinds, messages, opened
from tests.servers.faults import Phase

ACCEPTED, DEFERRED, UNCERTAIN = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN


SLOW = "slow@example.org"


def never() -> bool:
    return False


def attempts(outcomes) -> list[int]:
    return sorted(outcome.attempt_id for outcome in outcomes)


def left_in_the_air(transport, sent, quick) -> list[int]:
    """Hand these over, more being to come; returns whose answers came, once those of `quick` have had their time."""
    outcomes = list(transport.send(sent, always, more=True))

    def answered() -> bool:
        # On a busy machine even a quick answer takes longer than the moment that is waited for it.
        outcomes.extend(transport.send([], never, more=True))
        return len(outcomes) >= len(quick)

    eventually(answered)
    return attempts(outcomes)


class TestMoreToCome:
    def test_a_slow_answer_keeps_nobody_from_being_claimed_and_counts_against_the_next_window(
        self, faulty_smtp, transport_to
    ):
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered, to=SLOW)
        transport = opened(transport_to(faulty_smtp, connections=2, answer_timeout=30.0))
        slow, quick = make_message(SLOW), messages(3)

        assert left_in_the_air(transport, [slow, *quick], quick) == attempts(quick)
        assert transport.window == 3, "four may be open, and one is"
        assert transport.ready()
        transport.open()

        others = messages(3)
        assert left_in_the_air(transport, others, others) == attempts(others)
        answered.set()
        assert attempts(handed(transport, [], never)) == [slow.attempt_id]
        assert transport.window == 4
        assert len(faulty_smtp.accepted) == 7

    def test_nobody_is_left_in_the_air_where_no_more_is_to_come(self, faulty_smtp, transport_to):
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered, to=SLOW)
        transport = opened(transport_to(faulty_smtp, connections=2, answer_timeout=30.0))
        threading.Timer(0.2, answered.set).start()
        assert kinds(handed(transport, [make_message(SLOW), *messages(1)], always)) == {ACCEPTED: 2}
        assert transport.window == 4

    def test_what_has_not_begun_is_not_left(self, faulty_smtp, transport_to):
        """Both wait for their turn over the one connection: with the second in the air, none is left to begin."""
        transport = opened(transport_to(faulty_smtp))
        outcomes = list(transport.send(messages(2), always, more=True))
        assert eventually(lambda: len(faulty_smtp.taken) == 2)
        outcomes += handed(transport, [], never)
        assert kinds(outcomes) == {ACCEPTED: 2}

    def test_each_message_asks_its_own_claim_whether_it_may_begin(self, faulty_smtp, transport_to):
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered, to=SLOW)
        transport = opened(transport_to(faulty_smtp, connections=2, answer_timeout=30.0))
        slow, quick = make_message(SLOW), messages(1)
        assert left_in_the_air(transport, [slow, *quick], quick) == attempts(quick)

        too_late = messages(2)
        back = list(transport.send(too_late, never, more=True))
        assert attempts(back) == attempts(too_late)
        assert {(outcome.kind, outcome.detail, outcome.begun) for outcome in back} == {(DEFERRED, NOT_BEGUN, False)}
        answered.set()
        assert kinds(handed(transport, [], never)) == {ACCEPTED: 1}

    def test_a_connection_that_dies_meanwhile_leaves_only_its_own_in_doubt(self, faulty_smtp, transport_to):
        faulty_smtp.on(Phase.DOT, stall=True, to=SLOW)
        transport = opened(transport_to(faulty_smtp, connections=2, answer_timeout=1.0))
        lost, quick = make_message(SLOW), messages(3)
        assert left_in_the_air(transport, [lost, *quick], quick) == attempts(quick)

        (outcome,) = handed(transport, [], never)
        assert (outcome.attempt_id, outcome.kind) == (lost.attempt_id, UNCERTAIN)
        assert not transport.ready(), "a connection is to be made anew"
        transport.open()
        assert kinds(handed(transport, messages(4), always)) == {ACCEPTED: 4}

    def test_what_is_in_the_air_at_the_end_is_broken_off(self, faulty_smtp, transport_to):
        answered = threading.Event()
        faulty_smtp.on(Phase.DOT, until=answered, to=SLOW)
        transport = opened(transport_to(faulty_smtp, connections=2, answer_timeout=30.0))
        slow, quick = make_message(SLOW), messages(1)
        assert left_in_the_air(transport, [slow, *quick], quick) == attempts(quick)
        transport.close()
        answered.set()
        assert handed(transport, [], never) == []
        assert transport.window == 4
