"""What is said over one SMTP connection and what the answers mean, without any socket.

Where the server offers PIPELINING (RFC 2920) the commands of a message go in one group, and after 354 its content, its
final dot and the next message's commands go in one write (section 3.1 allows both; DATA must be the last of a group).
Where it does not, each answer is read before the next word, and content and dot are written apart.

All positions count the bytes that were ever said over the connection. `_left` is how many may have left: from the
moment a write is tried until its result is known, that is all of it. So the final dot counts as written as soon as any
byte of a write that holds it may be on its way, and what breaks before is surely not accepted (RFC 5321, 4.1.1.4).
"""

import sys
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from mlgroup_mail.delivery.transports.smtp_handed import Handed, answered, lost
from mlgroup_mail.delivery.transports.smtp_letter import Letter
from mlgroup_mail.delivery.transports.smtp_meaning import Next, Phase
from mlgroup_mail.delivery.transports.smtp_replies import UNREADABLE, Reply, ReplyReader
from mlgroup_mail.model import Message

PIECE = 1 << 16
"""Bytes written at once at most: between two pieces it is looked whether the server says something."""

_DOT = b".\r\n"

_NOT_SAID = sys.maxsize
"""Where a message begins that nothing has been said of yet."""

Then = Callable[[Letter, Reply], None]


class _Words(NamedTuple):
    """Something to say for a letter; `then` deals with the answer, if there will be one to it.

    `answered_from`: the byte that must have left before anything can be an answer to it, counted from its beginning.
    """

    letter: Letter
    data: bytes
    then: Then | None
    answered_from: int


class _Awaited(NamedTuple):
    """An answer that is still to come; whatever comes before the byte `at` has left is none to it."""

    letter: Letter
    at: int
    then: Then


class Conversation:
    """One connection's words and answers. At most two messages are in it: one waits for the answer to its dot, and
    the commands of the next have been said.
    """

    def __init__(self, *, pipelining: bool) -> None:
        self.over = False
        """Nothing more can be said: the connection is gone, out of step, or not wanted by the server."""
        self.served = 0
        """Messages that were begun over the connection."""
        self.progress = 0
        """Raised by each answer and each write: whether something happens at all."""
        self.handed: deque[tuple[Letter, Handed]] = deque()
        """What has come of messages, for whoever drives this to take."""
        self._pipelining = pipelining
        self._reader = ReplyReader()
        self._letters: deque[Letter] = deque()
        self._to_say: deque[_Words] = deque()
        self._awaited: deque[_Awaited] = deque()
        self._out = b""
        self._end = 0
        self._written = 0
        self._left = 0
        self._begins = -1
        self._reset_first = False

    @property
    def idle(self) -> bool:
        """Whether no message is in it and nothing half heard."""
        return not self._letters and not self._reader.pending

    @property
    def in_the_air(self) -> bool:
        """Whether answers are still to come that say what became of a message, or end it."""
        return bool(self._letters) and not self.over

    @property
    def begun(self) -> bool:
        """Whether the first byte of every message in it may have left."""
        return self._begins < self._left

    @property
    def takes(self) -> bool:
        """Whether another message may be said: nothing is in the air, or the content of the one before is."""
        if self.over or not self._letters:
            return not self.over
        last = self._letters[-1]
        return self._pipelining and len(self._letters) == 1 and last.phase is Phase.CONTENT and not last.settled

    @property
    def answering(self) -> bool:
        """Whether a final dot may have left and its answer is not there yet."""
        return bool(self._letters) and not self._letters[0].settled and self._phase(self._letters[0]) is Phase.DOT

    def take(self, letter: Letter) -> None:
        """Say this message next."""
        # In lockstep other words may have to be said before it.
        self._begins = _NOT_SAID
        letter.first = not self.served
        self.served += 1
        self._letters.append(letter)
        if self._reset_first:
            # So that nothing of the transaction before stands in its way. RSET may stand anywhere in a group.
            self._say(letter, b"RSET\r\n", self._at_reset)
            self._reset_first = False
        self._say(letter, letter.mail, self._at_mail)
        self._say(letter, letter.rcpt, self._at_rcpt)
        self._say(letter, b"DATA\r\n", self._at_data)

    def to_write(self) -> memoryview:
        """The next bytes to write; empty where there are none."""
        self._compose()
        start = self._written - self._start
        return memoryview(self._out)[start : start + PIECE]

    def beginning(self, piece: memoryview) -> Message | None:
        """The message whose first byte this piece holds, if any, and none of which can have left before."""
        return self._letters[-1].message if self._left <= self._begins < self._written + len(piece) else None

    def withdraw(self) -> Message:
        """Take back the message that has not begun."""
        letter = self._letters.pop()
        self.served -= 1
        self._out, self._end = self._out[: self._begins - self._start], self._begins
        self._begins = -1
        self._to_say = deque(words for words in self._to_say if words.letter is not letter)
        self._awaited = deque(each for each in self._awaited if each.letter is not letter or each.at < self._end)
        return letter.message

    def writing(self, size: int) -> None:
        """A write of so many bytes is tried: until `wrote` says more, all of them may have left."""
        self._left = max(self._left, self._written + size)

    def wrote(self, size: int) -> None:
        """So many bytes of it were taken, and surely no more."""
        self._written += size
        self._left = self._written
        self.progress += bool(size)

    def hear(self, data: bytes) -> None:
        """The server has said this."""
        self._reader.feed(data)
        while not self.over and (reply := self._reader.take()) is not None:
            self.progress += 1
            if self._awaited and self._awaited[0].at < self._left:
                letter, _, then = self._awaited.popleft()
                then(letter, reply)
            else:
                self._unasked(reply)

    def end(self, why: Callable[[Phase], Handed] = lost) -> None:
        """It is over. `why` tells what came of the first message without an outcome; for the next the line broke."""
        self.over = True
        for letter in self._letters:
            if not letter.settled:
                self._settle(letter, why(self._phase(letter)))
                why = lost

    @property
    def _start(self) -> int:
        """The position of the first byte of `_out`."""
        return self._end - len(self._out)

    def _phase(self, letter: Letter) -> Phase:
        return Phase.DOT if letter.dot_at < self._left else letter.phase

    def _say(self, letter: Letter, data: bytes, then: Then) -> None:
        self._to_say.append(_Words(letter, data, then, len(data) - 1))

    def _compose(self) -> None:
        """Put into the output what may be said by now: all of a group, or in lockstep one command."""
        if not self._to_say:
            return
        pieces, end = [self._out[self._written - self._start :]], self._end
        while self._to_say and (self._pipelining or (end == self._written and self._is_its_turn(self._to_say[0]))):
            letter, data, then, answered_from = self._to_say.popleft()
            at = end + answered_from
            if data is letter.mail:
                self._begins = end
            elif data is letter.content:
                letter.dot_at = at
            if then is not None:
                self._awaited.append(_Awaited(letter, at, then))
            pieces.append(data)
            end += len(data)
        self._out, self._end = b"".join(pieces), end

    def _is_its_turn(self, words: _Words) -> bool:
        """In lockstep: whether every answer is there but the one to the final dot, when it is its turn."""
        return words.then is None or not self._awaited

    def _at_reset(self, _: Letter, reply: Reply) -> None:
        if not _positive(reply):
            self.end()

    def _at_mail(self, letter: Letter, reply: Reply) -> None:
        if _positive(reply):
            letter.phase = Phase.RCPT
        else:
            self._refused(letter, reply)

    def _at_rcpt(self, letter: Letter, reply: Reply) -> None:
        letter.named = _positive(reply)
        if letter.settled:
            return
        if letter.named:
            letter.phase = Phase.DATA
        else:
            self._refused(letter, reply)

    def _at_data(self, letter: Letter, reply: Reply) -> None:
        if letter.settled:
            self._at_data_of_nobody(letter, reply)
        elif reply.code == 354:
            letter.phase = Phase.CONTENT
            self._to_say.append(_Words(letter, letter.content, self._at_dot, len(letter.content)))
            self._to_say.append(_Words(letter, _DOT, None, 0))
        else:
            self._refused(letter, reply)

    def _at_data_of_nobody(self, letter: Letter, reply: Reply) -> None:
        """Its recipient was refused. Asked for its content all the same, we give a lone dot (RFC 2920, 3.1)."""
        if reply.code == 354 and not letter.named:
            self._say(letter, _DOT, self._at_dot_of_nobody)
        elif _refuses(reply):
            self._letters.popleft()
        else:
            # Also where it has refused the sender and taken the recipient: an empty message might reach somebody.
            self.end()

    def _at_dot_of_nobody(self, _: Letter, reply: Reply) -> None:
        self._letters.popleft()
        self._reset_first = False
        if not (_positive(reply) or _refuses(reply)):
            self.end()

    def _at_dot(self, letter: Letter, reply: Reply) -> None:
        self._letters.popleft()
        handed = answered(letter.message, Phase.DOT, reply)
        self._settle(letter, handed)
        if handed.next is Next.DROP:
            self.end()

    def _refused(self, letter: Letter, reply: Reply) -> None:
        """Refused, put off, or nothing that can be read, before any content has left."""
        handed = answered(letter.message, letter.phase, reply)
        self._settle(letter, handed)
        if handed.next in (Next.DROP, Next.RENEW):
            self.end()
            return
        self._to_say.clear()
        self._reset_first = True
        if not self._awaited:
            self._letters.popleft()

    def _unasked(self, reply: Reply) -> None:
        """Something that answers nothing: only a farewell, or a word in the middle of content, has a meaning."""
        letter = next((letter for letter in self._letters if not letter.settled), None)
        if letter is not None:
            phase = self._phase(letter)
            if reply.code != 421 and phase is not Phase.CONTENT:
                reply = Reply(code=UNREADABLE, text=reply.text)
            self._settle(letter, answered(letter.message, phase, reply))
        self.end()

    def _settle(self, letter: Letter, handed: Handed) -> None:
        letter.settled = True
        self.handed.append((letter, handed))


def _positive(reply: Reply) -> bool:
    return 200 <= reply.code <= 299


def _refuses(reply: Reply) -> bool:
    """Whether it is a refusal that leaves the connection open; after 421 the server closes it (RFC 5321, 3.8)."""
    return 400 <= reply.code <= 599 and reply.code != 421
