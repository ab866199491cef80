"""A mail server's replies are read strictly, however the network has cut them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.delivery.transports.smtp_replies import UNREADABLE, Reply, ReplyReader

CODES = st.integers(min_value=200, max_value=599)
TEXTS = st.binary(max_size=40).filter(lambda text: not set(b"\r\n") & set(text)).map(bytes.strip)
REPLIES = st.builds(lambda code, texts: (code, texts), CODES, st.lists(TEXTS, min_size=1, max_size=4))


def written(code: int, texts: list[bytes], end: bytes = b"\r\n") -> bytes:
    *before, last = texts
    return b"".join(b"%d-%s%s" % (code, text, end) for text in before) + b"%d %s%s" % (code, last, end)


def taken(reader: ReplyReader, data: bytes) -> list[Reply]:
    reader.feed(data)
    return list(iter(reader.take, None))


@given(replies=st.lists(REPLIES, max_size=4), cuts=st.lists(st.integers(min_value=0, max_value=400)))
def test_replies_are_the_same_however_they_are_cut(replies, cuts):
    wire = b"".join(written(code, texts) for code, texts in replies)
    reader, found, start = ReplyReader(), [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(wire)), len(wire)]:
        found += taken(reader, wire[start:cut])
        start = cut

    assert found == [Reply(code=code, text=b"\n".join(texts)) for code, texts in replies]
    assert not reader.pending


@given(reply=REPLIES, short=st.integers(min_value=1, max_value=200))
def test_a_reply_without_its_end_has_said_nothing(reply, short):
    wire = written(*reply)
    reader = ReplyReader()
    assert taken(reader, wire[:-short]) == []


@given(data=st.binary(max_size=200))
def test_whatever_comes_nothing_is_read_into_it(data):
    reader = ReplyReader()
    for reply in taken(reader, data):
        assert reply.code == UNREADABLE or str(reply.code).encode() in data


@pytest.mark.parametrize(
    "wire",
    [
        b"what?\r\n",
        b"\r\n",
        b"25\r\n",
        b"2500 ok\r\n",
        b"250ok\r\n",
        b"250_ok\r\n",
        b" 250 ok\r\n",
        b"2_5 ok\r\n",
        b"+25 ok\r\n",
        b"199 ok\r\n",
        b"650 ok\r\n",
        "٢٥٠ ok\r\n".encode(),
        b"250-ok\r\n554 no\r\n",
        b"250-ok\r\nwhat?\r\n250 ok\r\n",
        b"250-" + b"x" * 9000,
        b"250-more\r\n" * 8000,
    ],
)
def test_what_is_no_reply_does_not_pass_for_one(wire):
    (reply, *_) = taken(ReplyReader(), wire)
    assert reply.code == UNREADABLE


@pytest.mark.parametrize("wire", [b"250\r\n", b"250 \r\n", b"250 ok\n", b"250-\r\n250\r\n"])
def test_what_is_short_may_still_be_one(wire):
    (reply,) = taken(ReplyReader(), wire)
    assert reply.code == 250
