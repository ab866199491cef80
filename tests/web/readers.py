"""A small group whose letter has been planned, its readers' links, and a client for its pages without a socket."""

import asyncio
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from mlgroup_mail.consent.tokens import OptOutTokens, Scope, TokenContent
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.settings.app import App, open_app
from mlgroup_mail.store import Store, schema
from mlgroup_mail.web.app import pages_of
from tests.acceptance.projects import SECRET_KEY, Command, command

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PUBLIC = {"MLGROUP_PUBLIC_URL": "https://mail.example.org/group"}
TOPICS = ("newsletter", "meetings", "coffee-coding", "calls", "training", "surveys", "webinar", "board")
PARTS = (
    b'--b1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b1--\r\n',
    "multipart/form-data; boundary=b1",
)


def token(contact_id: int, *, mailing_id: int = 1, topic: str = "newsletter", key: str = SECRET_KEY) -> str:
    """The token of a link, made as mails have it."""
    content = TokenContent(contact_id=contact_id, mailing_id=mailing_id, topic=topic)
    return OptOutTokens([key], topics=TOPICS).make(content)


def every(contact_id: int) -> str:
    """The token of a link out of everything."""
    return token(contact_id, topic=ALL_TOPICS)


def preferences_token(contact_id: int) -> str:
    """The token of a link to the page of topics."""
    content = TokenContent(contact_id=contact_id, mailing_id=1, topic=ALL_TOPICS)
    return OptOutTokens([SECRET_KEY], topics=TOPICS, scope=Scope.PREFERENCES).make(content)


class Pages:
    """Asks the pages of one project, as a proxy would that has taken the path of the public address off, or not."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._pages = pages_of(app)

    def get(self, token: str, **named: Any) -> httpx.Response:
        return self.ask("GET", f"/opt-out/{token}", **named)

    def post(self, token: str, data: Mapping[str, str], **named: Any) -> httpx.Response:
        return self.ask("POST", f"/opt-out/{token}", data=data, **named)

    def ask(self, method: str, path: str, **named: Any) -> httpx.Response:
        (answer,) = self.ask_all([(method, path, named)])
        return answer

    def ask_all(self, asked: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[httpx.Response]:
        """All at once."""
        return asyncio.run(self.asking(asked))

    async def asking(self, asked: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[httpx.Response]:
        """The same, for who does something else meanwhile."""
        transport = httpx.ASGITransport(self._pages, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await asyncio.gather(*[client.request(method, path, **named) for method, path, named in asked])


@contextmanager
def pages_at(root: Path, **settings: str) -> Iterator[Pages]:
    """The pages of the project there, in this process."""
    before = dict(os.environ)
    os.environ.update(PUBLIC | settings)
    try:
        with open_app(root) as app:
            yield Pages(app)
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def serving(root: Path, **settings: str) -> Iterator[tuple[str, Command]]:
    """`mlgroup-mail web` as a process of its own; yields where it listens."""
    with command(root, "web", "--port", "0", settings=PUBLIC | settings) as started:
        assert started._process.stdout is not None
        line = started._process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0], started


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in schema.metadata.sorted_tables
        }


def rules(store: Store) -> list[tuple[int | None, str, str, bool]]:
    """(person, topic, road, still stands) of every rule, in order."""
    rule = schema.suppression.c
    with store.reading() as connection:
        found = connection.execute(select(rule.contact_id, rule.topic, rule.road, rule.lifted_at).order_by(rule.id))
        return [(row.contact_id, row.topic, row.road, row.lifted_at is None) for row in found]
