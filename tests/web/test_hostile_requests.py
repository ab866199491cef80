"""Whatever is sent to the pages, none of it is a fault of ours (no 5xx), and only a press or one click writes."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlgroup_mail.web.app import pages_of
from mlgroup_mail.web.postman import Postman
from tests.web.joiners import open_the_door
from tests.web.readers import ONE_CLICK, Pages, dump, every, pages_at, preferences_token, rules, serving, token


@pytest.fixture
def pages(readers: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """The pages of a group that people can join; no mail goes by itself meanwhile."""
    monkeypatch.setattr(Postman, "wake", lambda self: None)
    with pages_at(open_the_door(readers)) as found:
        yield found


_LINK = st.one_of(
    st.sampled_from([token(1), every(2), token(9), token(3).upper(), token(1)[:-2], ""]), st.text(max_size=70)
)
_TOPICS_LINK = st.one_of(st.sampled_from([preferences_token(2), preferences_token(99), token(2)]), st.text(max_size=70))
_PATH = st.one_of(
    _LINK.map(lambda link: f"/opt-out/{link}"),
    _LINK.map(lambda link: f"/group/opt-out/{link}"),
    st.text(max_size=40).map(lambda text: f"/images/{text}"),
    st.text(max_size=40).map(lambda text: f"/look/{text}"),
    st.text(max_size=40).map(lambda text: f"/{text}"),
    _TOPICS_LINK.map(lambda link: f"/preferences/{link}"),
    st.text(alphabet="abcdefgh234567", min_size=1, max_size=60).map(lambda link: f"/join/{link}"),
    st.just("/join"),
)
_HEADER = st.tuples(
    st.sampled_from(["accept-language", "content-type", "content-length", "host", "range", "cookie", "expect", "te"]),
    st.binary(max_size=60),
)
_BODY = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b"List-Unsubscribe=One-Click", b"scope=topic", b"undo=all", b"scope=", b"undo=" * 99, b"&" * 150]),
)
_FORM = st.dictionaries(
    st.sampled_from(
        ["address", "name", "organisation", "country", "join", "shown", "was", "on-board", "on-\0", "lang"]
    ),
    st.one_of(
        st.sampled_from(["newcomer@office.example", "on", "newsletter,board", "XX", "https://spam.example"]), st.text()
    ),
)
_METHOD = st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "post", "BREW"])


async def ask(app: Any, method: str, path: str, query: bytes, headers: list[Any], chunks: list[bytes]) -> int:
    """One request as an ASGI server hands it over, however odd; returns the status."""
    sent: list[Any] = []
    bodies = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting: Iterator[Any] = iter([*bodies, {"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        return next(waiting, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http"}
    scope |= {"path": path, "raw_path": path.encode("utf-8", "replace"), "query_string": query, "root_path": ""}
    scope |= {"headers": [(name.encode(), value) for name, value in headers], "server": None, "client": None}
    await app(scope, receive, send)
    return int(sent[0]["status"])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(_METHOD, _PATH, st.binary(max_size=60), st.lists(_HEADER, max_size=4), st.lists(_BODY, max_size=3))
@example("POST", f"/opt-out/{token(1)}", b"lang=fr", [("content-type", b"multipart/form-data")], [b"scope=all"])
@example("POST", f"/opt-out/{token(1)}", b"", [("content-type", b"multipart/form-data; boundary=")], [b"--"])
@example("GET", f"/opt-out/{token(1)}", b"lang=%00&lang=%ff", [("accept-language", b"\xff;q=nan, e;q=inf")], [])
def test_no_request_is_a_fault_of_ours(
    pages: Pages, method: str, path: str, query: bytes, headers: list[Any], chunks: list[bytes]
) -> None:
    before = dump(pages.app.store)
    status = asyncio.run(ask(pages_of(pages.app), method, path, query, headers, chunks))
    assert status < 500
    body = b"".join(chunks)
    if method != "POST" or status != 200 or not any(word in body for word in (b"One-Click", b"scope", b"undo")):
        assert dump(pages.app.store) == before


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(_METHOD, _PATH, st.sampled_from([b"", b"lang=ar", b"lang=%00"]), _FORM)
@example("POST", "/join", b"", {"address": "newcomer@office.example", "name": "\0\ud7ff\u202e", "country": "XX"})
@example(
    "POST", f"/preferences/{preferences_token(2)}", b"", {"shown": "newsletter,board", "was": "", "on-board": "on"}
)
def test_no_form_is_a_fault_of_ours_and_writes_only_what_its_page_is_for(
    pages: Pages, method: str, path: str, query: bytes, form: dict[str, str]
) -> None:
    """Joining writes a question and no contact, and the page of topics nothing but its reader's own topics."""
    before = dump(pages.app.store)
    headers = [("content-type", b"application/x-www-form-urlencoded")]
    body = urlencode(form, errors="replace").encode()
    status = asyncio.run(ask(pages_of(pages.app), method, path, query, headers, [body]))
    assert status < 500
    after = dump(pages.app.store)
    changed = {table for table in after if after[table] != before[table]}
    if method != "POST":
        assert not changed
    elif path == "/join":
        assert changed <= {"join_request", "counter"}
    elif path == f"/preferences/{preferences_token(2)}":
        assert changed <= {"preference", "suppression", "signal", "counter", "provider_removal"}
        assert {contact_id for contact_id, *_ in rules(pages.app.store)} <= {2}
    else:
        assert not changed


@contextmanager
def wire(url: str) -> Iterator[socket.socket]:
    at = urlsplit(url)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=30) as connection:
        yield connection


LINE = f"POST /opt-out/{token(1)} HTTP/1.1\r\nHost: x\r\n"
ODD = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"POST /opt-out/x HTTP/9.9\r\n\r\n",
    LINE.encode() + b"Content-Length: -1\r\n\r\n",
    LINE.encode() + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzzz",
    LINE.encode() + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    LINE.encode() + b"Content-Length: 99999999999999999999\r\n\r\nList-Unsubscribe=One-Click",
    LINE.encode() + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
]


def test_nonsense_over_the_wire_is_refused_and_the_next_reader_is_heard(readers: Path) -> None:
    with pages_at(readers) as pages, serving(readers) as (url, _):
        before = dump(pages.app.store)
        for nonsense in ODD:
            with wire(url) as connection:
                connection.sendall(nonsense)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(65536)
            assert not answer or answer.split(b" ")[1][:1] in b"4", answer[:200]
        assert dump(pages.app.store) == before
        body = b"List-Unsubscribe=One-Click"
        with wire(url) as connection:
            connection.sendall(LINE.encode() + b"Content-Length: %d\r\n\r\n" % len(body))
            for byte in body:
                connection.sendall(bytes([byte]))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert len(dump(pages.app.store)["suppression"]) == 1


def test_who_sends_half_a_body_and_waits_holds_up_nobody(readers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(readers) as (url, _), wire(url) as slow:
        slow.sendall(LINE.encode() + b"Content-Length: 26\r\n\r\nList-Unsub")
        with wire(url) as connection:
            body = b"List-Unsubscribe=One-Click"
            connection.sendall(LINE.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert slow.recv(65536).startswith(b"HTTP/1.1 408"), "after ten seconds"


def test_a_click_whose_sender_has_gone_is_kept(pages: Pages) -> None:
    """Nobody hears the answer; the request was whole."""
    status = asyncio.run(
        ask(
            pages_of(pages.app),
            "POST",
            f"/opt-out/{token(1)}",
            b"",
            [],
            [b"&".join(f"{k}={v}".encode() for k, v in ONE_CLICK.items())],
        )
    )
    assert status == 200
    assert len(dump(pages.app.store)["suppression"]) == 1
