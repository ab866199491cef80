"""What is said and heard over one connection, without a network: however it is cut, it means the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.delivery.transports.smtp_conversation import Conversation
from mlgroup_mail.delivery.transports.smtp_letter import letter_of
from mlgroup_mail.model import OutcomeKind
from tests.delivery.transports.messages import CONTENT, make_message

ACCEPTED, REFUSED, DEFERRED, UNCERTAIN = (
    OutcomeKind.ACCEPTED,
    OutcomeKind.REFUSED,
    OutcomeKind.DEFERRED,
    OutcomeKind.UNCERTAIN,
)
OK, GO, TAKEN = b"250 2.0.0 Ok\r\n", b"354 go on\r\n", b"250-2.0.0 Ok\r\n250 queued as 4F2\r\n"

NOBODY = b"550-5.1.1 no\r\n550 5.1.1 such person\r\n"


class Model:
    """A server that answers each thing said with the next of its replies, and knows what it has accepted."""

    def __init__(self, replies: Sequence[bytes]) -> None:
        self.replies = list(replies)
        self.lines: list[bytes] = []
        self.accepted: list[str] = []
        self.to_tell = b""
        self._heard, self._content = b"", False
        self._recipient = ""

    def hear(self, data: bytes) -> None:
        self._heard += data
        *lines, self._heard = self._heard.split(b"\r\n")
        for line in lines:
            if self._content:
                if line == b".":
                    self._content = False
                    reply = self._answer()
                    if reply.splitlines()[-1].startswith(b"250 ") and self._recipient:
                        self.accepted.append(self._recipient)
                continue
            self.lines.append(line)
            reply = self._answer()
            if line.startswith(b"RCPT"):
                self._recipient = line.decode().split("<")[1].rstrip(">") if reply.startswith(b"250") else ""
            self._content = line == b"DATA" and reply.startswith(b"354")

    def _answer(self) -> bytes:
        reply = self.replies.pop(0) if self.replies else b""
        self.to_tell += reply
        return reply or b"-"


def talk(
    replies: Sequence[bytes], *, messages: int = 2, pipelining: bool = True, cuts: Sequence[int] = ()
) -> tuple[list[tuple[int, OutcomeKind]], Model]:
    """Hand over messages and give what came of each; the server's bytes are cut at `cuts`, then the line breaks."""
    conversation, model = Conversation(pipelining=pipelining), Model(replies)
    wanted = [make_message(f"reader{number}@example.org") for number in range(messages)]
    numbers = {message.attempt_id: number for number, message in enumerate(wanted)}
    told, cuts = 0, sorted(cuts)
    while not conversation.over:
        if wanted and conversation.takes:
            conversation.take(letter_of(wanted.pop(0), ()))
        if piece := bytes(conversation.to_write()):
            conversation.writing(len(piece))
            model.hear(piece)
            conversation.wrote(len(piece))
            continue
        if told == len(model.to_tell):
            break
        end = next((cut for cut in cuts if told < cut < len(model.to_tell)), len(model.to_tell))
        conversation.hear(model.to_tell[told:end])
        told = end
    conversation.end()
    found = [(numbers[letter.message.attempt_id], handed.meaning.kind) for letter, handed in conversation.handed]
    return found, model


def test_commands_go_together_and_the_next_ones_with_the_content():
    conversation = Conversation(pipelining=True)
    first, second = (letter_of(make_message(f"reader{number}@example.org"), ()) for number in range(2))
    conversation.take(first)
    group = bytes(conversation.to_write())
    assert group == b"MAIL FROM:<bounces@example.org>\r\nRCPT TO:<reader0@example.org>\r\nDATA\r\n"
    assert not conversation.takes, "DATA is the last of a group"

    conversation.writing(len(group))
    conversation.wrote(len(group))
    conversation.hear(OK + OK + GO)
    conversation.take(second)
    assert bytes(conversation.to_write()) == (
        first.content + b".\r\nMAIL FROM:<bounces@example.org>\r\nRCPT TO:<reader1@example.org>\r\nDATA\r\n"
    )


def test_in_lockstep_each_answer_is_read_before_the_next_word():
    conversation, said = Conversation(pipelining=False), []
    letter = letter_of(make_message(), ())
    conversation.take(letter)
    for answer in (OK, OK, GO, b"", TAKEN):
        piece = bytes(conversation.to_write())
        conversation.writing(len(piece))
        conversation.wrote(len(piece))
        said.append(piece)
        if answer:
            assert not conversation.to_write(), "nothing more before the answer"
            conversation.hear(answer)

    assert said == [letter.mail, letter.rcpt, b"DATA\r\n", letter.content, b".\r\n"]
    assert [handed.meaning.kind for _, handed in conversation.handed] == [ACCEPTED]


SCRIPTS = {
    "all well": ([OK, OK, GO, TAKEN] * 3, {0: ACCEPTED, 1: ACCEPTED, 2: ACCEPTED}),
    "one refused": (
        [*[OK, OK, GO, TAKEN], OK, NOBODY, b"503 5.5.1 nobody\r\n", OK, *[OK, OK, GO, TAKEN]],
        {0: ACCEPTED, 1: REFUSED, 2: ACCEPTED},
    ),
    "one refused, content asked for": (
        [OK, b"450 4.2.1 later\r\n", GO, b"554 5.5.1 no valid recipients\r\n", OK, OK, GO, TAKEN],
        {0: DEFERRED, 1: ACCEPTED},
    ),
    "put off after the dot": ([OK, OK, GO, b"451 4.3.0 later\r\n", OK, OK, GO, TAKEN], {0: DEFERRED, 1: ACCEPTED}),
    "a farewell": ([OK, OK, GO, TAKEN, b"421 4.3.2 closing\r\n"], {0: ACCEPTED, 1: DEFERRED}),
    "silence after the dot": ([OK, OK, GO], {0: UNCERTAIN, 1: DEFERRED}),
    "half an answer": ([OK, OK, GO, b"250-2.0.0 O"], {0: UNCERTAIN, 1: DEFERRED}),
    "nonsense": ([OK, OK, GO, b"2_5 Ok\r\n"], {0: UNCERTAIN, 1: DEFERRED}),
    "no content wanted": ([OK, OK, b"451 4.3.0 later\r\n", OK, OK, OK, GO, TAKEN], {0: DEFERRED, 1: ACCEPTED}),
    "the sender refused": ([b"550 5.7.60 no\r\n", b"503 5.5.1 no\r\n", b"503 5.5.1 no\r\n"], {0: DEFERRED}),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_servers_answers_mean_the_same_wherever_they_are_cut(name):
    """Every one of them at every byte, once each: mixed answers in one packet, and one byte after the other."""
    replies, expected = SCRIPTS[name]
    whole, model = talk(replies, messages=len(expected))
    size = len(model.to_tell)
    assert dict(whole) == expected

    assert talk(replies, messages=len(expected), cuts=range(size))[0] == whole
    for cut in range(1, size):
        found, model = talk(replies, messages=len(expected), cuts=[cut])
        assert found == whole
        assert model.accepted == [f"reader{number}@example.org" for number, kind in whole if kind is ACCEPTED]


ANSWERS = st.sampled_from(
    [
        *(OK, GO, TAKEN, NOBODY, b"421 4.3.2 closing\r\n", b"450 4.2.0 later\r\n", b"503 5.5.1 what?\r\n"),
        *(b"250 O", b"\xff\r\n", b"250 Ok\r\n250 Ok\r\n", b"354 go\r\n250 Ok\r\n"),
    ]
)


@given(replies=st.lists(ANSWERS, max_size=16), cuts=st.lists(st.integers(1, 400), max_size=8), pipelining=st.booleans())
def test_whatever_a_server_answers_nobody_has_two_outcomes_or_none(replies, cuts, pipelining):
    found, _ = talk(replies, messages=3, pipelining=pipelining, cuts=cuts)
    numbers = [number for number, _ in found]
    assert len(set(numbers)) == len(numbers)
    assert numbers == list(range(len(numbers))), "in the order in which they were said"


STRICT = st.sampled_from([OK, GO, TAKEN, b"450 4.2.0 later\r\n", b"550 5.1.1 nobody\r\n", b"554 5.6.0 no\r\n"])


@given(replies=st.lists(STRICT, max_size=20), cuts=st.lists(st.integers(1, 600), max_size=8), pipelining=st.booleans())
def test_a_server_that_answers_once_each_knows_the_same_as_we_do(replies, cuts, pipelining):
    """Accepted is what it has accepted; what it has and we call surely not accepted does not exist."""
    found, model = talk(replies, messages=3, pipelining=pipelining, cuts=cuts)
    kinds = {f"reader{number}@example.org": kind for number, kind in found}
    accepted = [address for address, kind in kinds.items() if kind is ACCEPTED]
    assert accepted == [address for address in model.accepted if kinds[address] is ACCEPTED]
    for address in model.accepted:
        assert kinds[address] in (ACCEPTED, UNCERTAIN)


class TestPartialWrites:
    """The final dot counts as written as soon as any byte of it may have left, and not before."""

    def asked_for_content(self) -> Conversation:
        conversation = Conversation(pipelining=True)
        conversation.take(letter_of(make_message(), ()))
        group = conversation.to_write()
        conversation.writing(len(group))
        conversation.wrote(len(group))
        conversation.hear(OK + OK + GO)
        return conversation

    @pytest.mark.parametrize("short", range(len(CONTENT) + 5))
    def test_what_breaks_after_so_many_bytes(self, short):
        conversation = self.asked_for_content()
        piece = conversation.to_write()
        conversation.writing(len(piece))
        conversation.wrote(min(short, len(piece)))
        conversation.end()
        (_, handed) = conversation.handed.pop()
        assert handed.meaning.kind is (UNCERTAIN if short > len(piece) - len(b".\r\n") else DEFERRED)

    def test_a_write_of_which_nothing_is_known_may_have_been_all_of_it(self):
        conversation = self.asked_for_content()
        conversation.writing(len(conversation.to_write()))
        conversation.end()
        (_, handed) = conversation.handed.pop()
        assert handed.meaning.kind is UNCERTAIN

    def test_a_yes_before_the_dot_has_left_is_no_answer_to_it(self):
        conversation = self.asked_for_content()
        piece = conversation.to_write()
        conversation.writing(len(piece))
        conversation.wrote(len(piece) - len(b".\r\n"))
        conversation.hear(TAKEN)
        (_, handed) = conversation.handed.pop()
        assert (handed.meaning.kind, conversation.over) == (DEFERRED, True)

    @given(sizes=st.lists(st.integers(0, 200), max_size=12))
    def test_the_next_message_can_be_taken_back_until_its_first_byte_may_have_left(self, sizes):
        conversation = self.asked_for_content()
        following = letter_of(make_message("next@example.org"), ())
        conversation.take(following)
        whole, written = bytes(conversation.to_write()), 0
        begins = whole.index(following.mail)
        for size in sizes:
            piece = conversation.to_write()
            assert bytes(piece) == whole[written:]
            assert (conversation.beginning(piece) is not None) == (written <= begins)
            conversation.writing(len(piece))
            assert conversation.beginning(piece) is None
            conversation.wrote(min(size, len(piece)))
            written += min(size, len(piece))
        if written <= begins:
            assert conversation.withdraw() is following.message
            assert bytes(conversation.to_write()) == whole[written:begins]
            assert conversation.takes


def test_an_empty_message_is_never_given_to_a_recipient_who_was_taken():
    """The sender refused, the recipient taken all the same, content asked for: a lone dot might reach them."""
    _, model = talk([b"550 5.7.1 no\r\n", OK, GO, OK], messages=1)
    assert model.accepted == []
    assert len(model.replies) == 1, "the dot was not written"


def test_a_lone_dot_ends_a_message_whose_recipient_was_refused():
    found, model = talk([OK, b"550 5.1.1 nobody\r\n", GO, OK, OK, OK, GO, TAKEN], messages=2)
    assert found == [(0, REFUSED), (1, ACCEPTED)]
    assert model.lines.count(b"RSET") == 0, "the dot has ended it"


def test_one_that_was_refused_by_data_too_is_followed_by_rset():
    found, model = talk([OK, b"550 5.1.1 nobody\r\n", b"554 5.5.1 nobody\r\n", OK, OK, OK, GO, TAKEN], messages=2)
    assert found == [(0, REFUSED), (1, ACCEPTED)]
    assert [line[:4] for line in model.lines] == [b"MAIL", b"RCPT", b"DATA", b"RSET", b"MAIL", b"RCPT", b"DATA"]


def test_in_lockstep_a_message_has_not_begun_while_only_the_one_before_is_taken_back() -> None:
    """Its own first word waits for the answer to RSET: until then it is handed back, and no rate counts it."""
    conversation = Conversation(pipelining=False)

    def say() -> bytes:
        piece = bytes(conversation.to_write())
        conversation.writing(len(piece))
        conversation.wrote(len(piece))
        return piece

    first, second = (letter_of(make_message(f"reader{number}@example.org"), ()) for number in range(2))
    conversation.take(first)
    say()
    conversation.hear(OK)
    say()
    conversation.hear(NOBODY)
    conversation.take(second)
    assert say() == b"RSET\r\n"
    assert not conversation.begun
    conversation.hear(OK)
    assert say().startswith(b"MAIL FROM")
    assert conversation.begun
