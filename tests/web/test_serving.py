"""Serving the pages: the server's start sends what is due, a request that looks does not; and no answer dawdles."""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.web import app, asgi, serving
from mlgroup_mail.web.postman import Postman
from tests.web.joiners import open_the_door
from tests.web.readers import PUBLIC, token


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Postman]:
    """Who was told that there may be something to send."""
    found: list[Postman] = []

    def wake(postman: Postman) -> None:
        found.append(postman)

    monkeypatch.setattr(Postman, "wake", wake)
    return found


@pytest.fixture
def pages(readers: Path, monkeypatch: pytest.MonkeyPatch) -> asgi.ProjectPages:
    """The pages as an ASGI server is given them; people can join."""
    open_the_door(readers)
    monkeypatch.setenv("MLGROUP_PROJECT", str(readers))
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", PUBLIC["MLGROUP_PUBLIC_URL"])
    monkeypatch.setattr(serving, "make_ready", lambda: None)
    return asgi.ProjectPages()


def ask(pages: asgi.ProjectPages, method: str, path: str, **named: dict[str, str]) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.request(method, path, **named)  # type: ignore[arg-type]

    return asyncio.run(asked())


def live(pages: asgi.ProjectPages) -> list[str]:
    """Start and stop, as a server tells it; returns what it was answered."""
    told: list[str] = []

    async def played() -> None:
        coming = iter(("lifespan.startup", "lifespan.shutdown"))

        async def receive() -> dict[str, str]:
            return {"type": next(coming)}

        async def send(message: dict[str, str]) -> None:
            told.append(message["type"])

        await pages({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)  # type: ignore[arg-type]

    asyncio.run(played())
    return told


def test_a_server_that_starts_sends_what_was_due(pages: asgi.ProjectPages, woken: list[Postman]) -> None:
    assert live(pages) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert len(woken) == 1


def test_who_looks_first_sends_nothing(pages: asgi.ProjectPages, woken: list[Postman]) -> None:
    """A server that tells nothing of its start opens the project with the first request, which may be a GET."""
    for path in ("/join", f"/opt-out/{token(1)}", "/join/nobodys"):
        assert ask(pages, "GET", path).status_code == 200
    assert woken == []
    ask(pages, "POST", "/join", data={"address": "newcomer@office.example"})
    assert len(woken) == 1


def test_a_project_that_cannot_be_opened_is_closed_and_tried_anew(
    pages: asgi.ProjectPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(app, "pages_of", lambda parts: _fail(parts, closed))
        for _ in range(3):
            with pytest.raises(ConfigurationError):
                ask(pages, "GET", "/join")
    assert len(closed) == 3
    assert ask(pages, "GET", "/join").status_code == 200


def _fail(parts: object, closed: list[object]) -> None:
    store = parts.store  # type: ignore[attr-defined]
    close = store.close
    store.close = lambda: (closed.append(store), close())
    raise ConfigurationError("no such template", mend="Mend it.")


def test_no_answer_waits_for_the_other_side_to_acknowledge_its_first_half() -> None:
    """Each takes 40 ms otherwise: Nagle's algorithm here, delayed acknowledgement there."""
    with serving.listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
