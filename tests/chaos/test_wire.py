"""The harness knows where a conversation stands, however its bytes are cut into writes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.http_wire import HttpTalk
from tests.chaos.wire import Heard, Talk

BODY = b"Subject: News\r\n\r\n..dots\r\nand more\r\n"


def _say(talk: Heard, *writes: bytes) -> list[set[str]]:
    found = []
    for data in writes:
        found.append(set(talk.labels(data)))
        talk.written(data)
    return found


def test_each_word_in_its_turn() -> None:
    talk = Talk()
    assert _say(talk, b"EHLO here\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n") == [
        {"other"},
        {"mail"},
        {"rcpt"},
        {"data"},
    ]
    talk.heard(b"354 Go ahead\r\n")
    assert _say(talk, BODY, b".\r\n", b"MAIL FROM:<a@b.example>\r\n") == [{"body"}, {"dot"}, {"mail"}]


def test_a_refused_data_is_not_followed_by_content() -> None:
    talk = Talk()
    _say(talk, b"DATA\r\n")
    talk.heard(b"451 Later\r\n")
    assert _say(talk, b"RSET\r\n", b"MAIL FROM:<a@b.example>\r\n") == [{"other"}, {"mail"}]


def test_the_end_and_the_next_envelope_in_one_write() -> None:
    talk = Talk()
    assert _say(talk, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n") == [{"mail", "rcpt", "data"}]
    talk.heard(b"250 Ok\r\n250 Ok\r\n354 Go ahead\r\n")
    assert _say(talk, BODY + b".\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<e@f.example>\r\n") == [
        {"body", "dot", "mail", "rcpt"}
    ]


def test_a_line_of_the_content_that_looks_like_a_command_is_content() -> None:
    talk = Talk()
    talk.heard(b"354 Go ahead\r\n")
    assert _say(talk, b"DATA\r\nMAIL FROM:<x@y.example>\r\n") == [{"body"}]


@given(st.lists(st.integers(1, len(BODY) + 2), max_size=4))
def test_the_end_is_found_wherever_the_writes_part(cuts: list[int]) -> None:
    whole = BODY + b".\r\n"
    places = [0, *sorted(set(cuts)), len(whole)]
    writes = [whole[start:end] for start, end in pairwise(places) if start < end]
    talk = Talk()
    talk.heard(b"354 Go ahead\r\n")
    labels = _say(talk, *writes)
    assert "dot" in labels[-1]
    assert not any("dot" in each for each in labels[:-1])


HEAD = b"POST /v3/mail/send HTTP/1.1\r\nHost: here\r\ncontent-length: 11\r\n\r\n"
CONTENT = b'{\r\n\r\n "a":1'


def test_a_request_its_content_and_its_answer() -> None:
    talk = HttpTalk()
    assert talk.last == set()
    assert _say(talk, HEAD, CONTENT[:5], CONTENT[5:]) == [{"head"}, {"content"}, {"content"}]
    assert talk.last == {"answer"}
    talk.heard(b"HTTP/1.1 202 Accepted\r\n")
    assert talk.last == set()
    assert _say(talk, b"GET /v3/scopes HTTP/1.1\r\n\r\n", HEAD + CONTENT) == [{"head"}, {"head", "content"}]


@given(st.lists(st.integers(1, len(HEAD + CONTENT) - 1), max_size=4))
def test_a_request_ends_wherever_the_writes_part(cuts: list[int]) -> None:
    whole = HEAD + CONTENT
    places = [0, *sorted(set(cuts)), len(whole)]
    talk = HttpTalk()
    labels = _say(talk, *[whole[start:end] for start, end in pairwise(places)])
    assert "head" in labels[0]
    assert "content" in labels[-1]
    assert _say(talk, HEAD) == [{"head"}]
