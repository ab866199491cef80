"""POST /webhooks/sendgrid: what is signed is taken in and durable when it is answered; all else touches nothing."""

import asyncio
import contextlib
import json
import logging
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.store import Store, schema
from mlgroup_mail.testing.sendgrid import events as stories
from mlgroup_mail.testing.sendgrid.batches import ROUGH, Mishaps, bodies, post, travelled
from mlgroup_mail.testing.sendgrid.events import Event, Fate
from mlgroup_mail.testing.sendgrid.signing import SIGNATURE, TIMESTAMP, Signer
from mlgroup_mail.testing.sendgrid.truth import Accepted
from mlgroup_mail.web import webhook
from mlgroup_mail.web.app import make_pages
from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, command
from tests.cli.conftest import Run, run
from tests.delivery.told import (
    AT_TEN,
    EVENING,
    about,
    accepted,
    copy_of,
    end_state,
    open_ledger,
    put_in_doubt,
    table,
)

__all__ = ["approved_letter", "letter", "run", "use"]

SIGNER = Signer()
PATH = "/webhooks/sendgrid"


@pytest.fixture
def sent(run: Run, letter: Path, use: Settings) -> Iterator[Store]:
    """The small project's ledger after its letter went to six people, all of them in doubt."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("dispatch", "--live").code == 0
    with closing(open_ledger(letter)) as store:
        put_in_doubt(store)
        yield store


Body = bytes | AsyncIterator[bytes]


class Client:
    """Asks the pages without a socket."""

    def __init__(self, store: Store, *keys: str) -> None:
        self._pages: Starlette = make_pages(store, clock=FixedClock(EVENING), webhook_keys=keys)

    def post(self, body: Body, headers: Mapping[str, str]) -> httpx.Response:
        (answer,) = self.post_at_once([body], [headers])
        return answer

    def post_at_once(self, bodies: Sequence[Body], headers: Sequence[Mapping[str, str]]) -> list[httpx.Response]:
        return asyncio.run(self._ask("POST", bodies, headers))

    def request(self, method: str, headers: Mapping[str, str]) -> httpx.Response:
        (answer,) = asyncio.run(self._ask(method, [b""], [headers]))
        return answer

    async def _ask(
        self, method: str, bodies: Sequence[Body], headers: Sequence[Mapping[str, str]]
    ) -> list[httpx.Response]:
        transport = httpx.ASGITransport(self._pages, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://mail.example.org") as client:
            asked = [
                client.request(method, PATH, content=body, headers=dict(named))
                for body, named in zip(bodies, headers, strict=True)
            ]
            return await asyncio.gather(*asked)


@pytest.fixture
def client(sent: Store) -> Client:
    return Client(sent, Signer().public_key, SIGNER.public_key)


def signed(body: bytes, signer: Signer = SIGNER, *, at: float | None = None) -> dict[str, str]:
    return dict(signer.sign(body, at=at).headers)


def body_of(*events: Event) -> bytes:
    (body,) = bodies(events)
    return body


def test_what_is_signed_is_taken_in_and_counted(sent: Store, client: Client) -> None:
    person = accepted(sent)[0]
    body = body_of(about(person, "delivered"), about(person, "carrier_pigeon"), {"event": "account", "timestamp": 1})
    answer = client.post(body, signed(body))
    assert (answer.status_code, answer.json()["new"], answer.json()["settled"]) == (200, 1, 1)
    assert (answer.json()["events"], answer.json()["passed_over"]) == (3, 2)
    assert table(sent, "delivery", "state")[0] == ("accepted",)


def test_a_request_signed_long_ago_is_taken_as_long_as_it_is_repeated(sent: Store, client: Client) -> None:
    body = body_of(about(accepted(sent)[0], "spamreport"))
    for _ in range(2):
        assert client.post(body, signed(body, at=1)).status_code == 200
    assert len(table(sent, "signal", "id")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE: "not base64!"},
        {SIGNATURE: "===="},
        {SIGNATURE: ""},
        {TIMESTAMP: "1"},
        {TIMESTAMP: ""},
        {SIGNATURE: None},
        {TIMESTAMP: None},
        {"other": "key"},
    ],
)
def test_what_is_not_signed_gets_one_and_the_same_answer_and_changes_nothing(
    sent: Store, client: Client, headers: dict[str, str | None]
) -> None:
    before = end_state(sent)
    body = body_of(about(accepted(sent)[0], "spamreport"))
    given = {} if headers == {} else signed(body, Signer() if "other" in headers else SIGNER) | headers
    answer = client.post(body, {name: text for name, text in given.items() if text is not None})
    assert (answer.status_code, answer.text) == (401, "This is not signed by a key that is known here.\n")
    assert end_state(sent) == before


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"[{}]", b'[{"event": 1, "timestamp": 1}]', b"\xff", b"[" * 9999])
def test_what_is_signed_and_no_list_of_events_is_refused(sent: Store, client: Client, body: bytes) -> None:
    before = end_state(sent)
    assert client.post(body, signed(body)).status_code == 400
    assert end_state(sent) == before


STRANGE: list[Event] = [
    {"event": "delivered", "timestamp": "noon"},
    {"event": 7, "timestamp": 1},
    {"timestamp": 1},
    {},
]


@pytest.mark.parametrize("odd", STRANGE)
def test_of_500_events_one_that_cannot_be_read_is_counted_and_the_499_are_taken(
    sent: Store, client: Client, odd: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """SendGrid would repeat the same bytes for a day and then forget them, the opt-outs among them."""
    caplog.set_level(logging.INFO)
    people = accepted(sent)
    events = [about(people[place % 6], "delivered", minute=place) for place in range(498)]
    body = body_of(*events[:250], odd, *events[250:], about(people[0], "spamreport"))
    answer = client.post(body, signed(body))
    assert (answer.status_code, answer.json()["events"], answer.json()["unreadable"]) == (200, 500, 1)
    assert (answer.json()["new"], answer.json()["opt_outs"]) == (499, 1)
    assert "1 events of SendGrid's cannot be read" in caplog.text


def test_where_no_event_can_be_read_sendgrid_keeps_them_for_later(sent: Store, client: Client) -> None:
    """Then it is the form of all that has changed, and somebody has a day to mend it."""
    before = end_state(sent)
    body = body_of(*STRANGE)
    assert client.post(body, signed(body)).status_code == 400
    assert end_state(sent) == before


def test_a_body_is_read_up_to_a_limit_whatever_it_says_of_its_length(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "LARGEST_BODY", 100)

    async def pieces() -> AsyncIterator[bytes]:
        for piece in [b"x" * 60] * 2:
            yield piece

    assert client.post(pieces(), signed(b"")).status_code == 413
    assert client.post(b" " * 101, signed(b"")).status_code == 413
    body = b"[]".ljust(100)
    assert client.post(body, signed(body)).status_code == 200


@pytest.mark.parametrize("missing", [SIGNATURE, TIMESTAMP])
def test_of_what_has_no_signature_not_a_byte_is_read(client: Client, missing: str) -> None:
    read: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(b"x")
        yield b"x"

    answer = client.post(pieces(), {name: text for name, text in signed(b"x").items() if name != missing})
    assert (answer.status_code, read) == (401, [])


def test_what_was_taken_of_the_room_is_given_back_whatever_became_of_the_request(
    sent: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "LARGEST_BODY", 600)
    monkeypatch.setattr(webhook, "MOST_AT_ONCE", 1000)
    client = Client(sent, SIGNER.public_key)
    good = b"[]".ljust(600)
    for body, headers, status in [
        (good, signed(good), 200),
        (good, signed(b"another"), 401),
        (b"x" * 600, signed(b"x" * 600), 400),
        (b"x" * 601, signed(b"x" * 601), 413),
    ] * 3:
        assert client.post(body, headers).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_a_post_is_heard(sent: Store, client: Client, method: str) -> None:
    before = end_state(sent)
    assert client.request(method, signed(b"")).status_code == 405
    assert end_state(sent) == before


def test_without_keys_there_is_no_such_page(sent: Store) -> None:
    body = body_of(about(accepted(sent)[0], "spamreport"))
    assert Client(sent).post(body, signed(body)).status_code == 404


def test_where_the_ledger_cannot_be_written_it_is_not_said_to_be(sent: Store, client: Client) -> None:
    body = body_of(about(accepted(sent)[0], "spamreport"))
    with sent.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE delivery_event RENAME TO gone")
    answer = client.post(body, signed(body))
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert table(sent, "signal", "id") == [], "all of a batch or nothing"


def test_the_log_counts_and_names_nobody(sent: Store, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = accepted(sent)[0]
    body = body_of(about(person, "bounce", type="bounce", reason=f"550 5.1.1 no {person.address}"))
    client.post(body, signed(body))
    broken = b'[{"event": "open", "timestamp": "person1@office.example"}]'
    client.post(broken, signed(broken))
    half = broken[:-1] + b', {"event": "open", "timestamp": 1}]'
    client.post(half, signed(half))
    assert "'opt_outs': 1" in caplog.text
    assert "none of them an event" in caplog.text
    assert "'unreadable': 1" in caplog.text
    assert "person1" not in caplog.text
    assert SIGNER.public_key not in caplog.text


def test_many_requests_at_once_lead_to_the_same_ledger_as_one(sent: Store, tmp_path: Path) -> None:
    assert sent.file
    people = accepted(sent)
    told = stories.tell(people, seed=3, weights=dict.fromkeys(Fate, 1.0))
    together = travelled(told, Mishaps(doubled=0.5, renamed=0.5, bare=0.3, disorder=True), seed=4)
    parts = bodies(together, size=3)

    def state_after(store: Store, parts: list[bytes]) -> dict[str, object]:
        answers = Client(store, SIGNER.public_key).post_at_once(parts, [signed(part) for part in parts])
        assert {answer.status_code for answer in answers} == {200}
        return end_state(store)

    with copy_of(sent.file, tmp_path / "one") as one, copy_of(sent.file, tmp_path / "many") as many:
        assert state_after(one, bodies(together, size=10_000)) == state_after(many, parts)


@contextmanager
def serving(root: Path, keys: str) -> Iterator[tuple[str, int]]:
    """The webhook's address, and the number of the process that serves it."""
    settings = {"MLGROUP_SENDGRID_WEBHOOK_KEYS": keys, "MLGROUP_NOW": EVENING.isoformat()}
    with command(root, "web", "--port", "0", settings=settings) as started:
        assert started._process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", started._process.stdout.readline())
        assert found
        yield found[0] + PATH, started._process.pid


def test_over_the_wire_a_rough_day_s_events_settle_every_doubt(sent: Store, letter: Path, run: Run) -> None:
    """As uvicorn serves it: doubled, disordered, renamed, bare and late; each person had at least one event."""
    people = accepted(sent)
    told = stories.tell(people, seed=11)
    rough = Mishaps(doubled=ROUGH.doubled, renamed=0.3, late=0.2, bare=ROUGH.bare, disorder=True)
    with serving(letter, f"{Signer().public_key},{SIGNER.public_key}") as (url, _):
        assert set(post(travelled(told, rough, seed=12), url, SIGNER, size=4)) == {200}
        assert post(told[:1], url, Signer(), tries=1) == [401]
    assert run("status", LETTER, "--json").json["counts"]["accepted"] == 6
    assert run("verify").code == 0


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_done_twice(sent: Store, letter: Path) -> None:
    people = accepted(sent)
    events = [about(person, "spamreport") for person in people]
    with serving(letter, SIGNER.public_key) as (url, _):
        threads = [threading.Thread(target=post, args=(events, url, SIGNER)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(table(sent, "signal", "id")) == len(table(sent, "delivery_event", "id")) == 6


def test_a_key_that_is_none_is_said_at_the_start(letter: Path, run: Run, use: Settings) -> None:
    use({"MLGROUP_SENDGRID_WEBHOOK_KEYS": "this-is-no-key"})
    refused = run("web", "--port", "0")
    assert refused.code == 2
    assert "MLGROUP_SENDGRID_WEBHOOK_KEYS" in refused.err
    assert "this-is-no-key" not in refused.err


def test_the_webhook_is_no_road_that_somebody_has_to_read(sent: Store, letter: Path, run: Run, use: Settings) -> None:
    """A day without events is a day without news: it keeps nobody from writing."""
    use({"MLGROUP_SENDGRID_WEBHOOK_KEYS": SIGNER.public_key, "MLGROUP_PUBLIC_URL": "https://mail.example.org"})
    with serving(letter, SIGNER.public_key) as (url, _):
        assert post([about(accepted(sent)[0], "delivered")], url, SIGNER) == [200]
    with sent.reading() as connection:
        assert connection.execute(schema.road.select()).all() == []


def test_numbers_are_all_that_the_answer_holds(sent: Store, client: Client) -> None:
    person: Accepted = accepted(sent)[0]
    body = body_of(about(person, "spamreport"))
    answer = client.post(body, signed(body))
    assert all(isinstance(number, int) for number in json.loads(answer.text).values())


def memory_of(process: int) -> int:
    """The most that a process has held so far, in MB."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) // 1000


class Begun:
    """A POST of so many bytes, of which the last does not come by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> None:
        self._reader, self._writer = reader, writer
        self._sending = asyncio.create_task(self._send(length - 1))

    @classmethod
    async def at(cls, url: str, headers: Mapping[str, str], length: int) -> "Begun":
        asked = urlsplit(url)
        reader, writer = await asyncio.open_connection(asked.hostname, asked.port)
        named = {"Host": str(asked.hostname), "Content-Length": str(length), **headers}
        head = "".join(f"{name}: {text}\r\n" for name, text in named.items())
        writer.write(f"POST {asked.path} HTTP/1.1\r\n{head}\r\n".encode())
        return cls(reader, writer, length)

    async def _send(self, length: int) -> None:
        for start in range(0, length, 65536):
            self._writer.write(bytes(min(65536, length - start)))
            await self._writer.drain()

    async def status(self) -> int:
        """The answer's status."""
        line = await asyncio.wait_for(self._reader.readline(), 60)
        return int(line.split()[1])

    async def end(self) -> None:
        """Send the last byte."""
        await self._sending
        self._writer.write(b"x")

    async def drop(self) -> None:
        self._sending.cancel()
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="how much a process holds is read from /proc")
def test_200_large_bodies_that_nobody_signed_fill_no_memory(sent: Store, letter: Path) -> None:
    async def all_at_once(url: str) -> set[int]:
        asked = [await Begun.at(url, {}, webhook.LARGEST_BODY) for _ in range(200)]
        answers = await asyncio.gather(*(each.status() for each in asked))
        await asyncio.gather(*(each.drop() for each in asked))
        return set(answers)

    with serving(letter, SIGNER.public_key) as (url, process):
        before = memory_of(process)
        assert asyncio.run(all_at_once(url)) == {401}, "answered before the body has come"
        assert memory_of(process) - before < 60
        assert post([about(accepted(sent)[0], "delivered")], url, SIGNER) == [200]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="how much a process holds is read from /proc")
def test_200_large_bodies_with_a_false_signature_share_one_room_and_are_then_forgotten(
    sent: Store, letter: Path
) -> None:
    """Meanwhile SendGrid may be told to come again, which it does for a day."""
    length = 1_000_000
    fit = webhook.MOST_AT_ONCE // length

    async def all_at_once(url: str) -> list[int]:
        asked = [await Begun.at(url, signed(b"something else"), length) for _ in range(200)]
        answers = [asyncio.create_task(each.status()) for each in asked]
        for refused in islice(asyncio.as_completed(answers), len(asked) - fit):
            assert await refused == 503
        await asyncio.gather(*(each.end() for each, told in zip(asked, answers, strict=True) if not told.done()))
        statuses = await asyncio.gather(*answers)
        await asyncio.gather(*(each.drop() for each in asked))
        return statuses

    with serving(letter, SIGNER.public_key) as (url, process):
        before = memory_of(process)
        statuses = asyncio.run(all_at_once(url))
        assert set(statuses) == {401, 503}
        assert statuses.count(401) <= fit
        assert memory_of(process) - before < 150
        assert post([about(accepted(sent)[0], "delivered")], url, SIGNER) == [200]
