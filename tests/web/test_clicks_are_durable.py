"""An opt-out that was answered is in the ledger, whatever dies when; and nobody is written to after its number."""

import http.client
import itertools
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import anyio
import httpx
import pytest

from mlgroup_mail.store import Store
from mlgroup_mail.web.pages.together import AT_ONCE, NotWrittenError, Together
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, command, gated_smtp, person, small_project, through
from tests.cli.conftest import Run
from tests.delivery.told import open_ledger
from tests.servers.faults import Phase
from tests.web.readers import ONE_CLICK, PUBLIC, rules, serving, token

PEOPLE, CLIENTS = 300, 8
BODY = urlencode(ONE_CLICK)
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group of three hundred. Copy it."""
    from mlgroup_mail.cli import main

    root = small_project(tmp_path_factory.mktemp("large") / "project", people=PEOPLE)
    assert main._run(["--project", str(root), "contacts", "pull"]) == 0
    return root


class Clickers:
    """Several mail programs that click for one person after another, and remember whose click was answered."""

    def __init__(self, url: str, people: Sequence[int]) -> None:
        self.answered: list[int] = []
        self.enough = threading.Event()
        self._url, self._wanted = url, None
        shares = [people[place::CLIENTS] for place in range(CLIENTS)]
        self._threads = [threading.Thread(target=self._click, args=(share,)) for share in shares]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.answered) < count and time.monotonic() < deadline:
            time.sleep(0.001)

    def end(self) -> None:
        for thread in self._threads:
            thread.join(60)

    def _click(self, people: Sequence[int]) -> None:
        at = urlsplit(self._url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
        try:
            for number in people:
                connection.request("POST", f"/opt-out/{token(number)}", BODY, HEADERS)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered.append(number)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_point_every_answered_click_is_in_the_ledger(large: Path, tmp_path: Path, seed: int) -> None:
    root = Path(shutil.copytree(large, tmp_path / "project"))
    chance = random.Random(seed)
    people = chance.sample(range(1, PEOPLE + 1), PEOPLE)
    with serving(root) as (url, server):
        clickers = Clickers(url, people)
        clickers.wait_for(chance.randrange(1, 200))
        time.sleep(chance.random() * 0.02)
        server.kill()
        clickers.end()
    answered = list(clickers.answered)
    assert answered
    with closing(open_ledger(root)) as store:
        kept = [contact_id for contact_id, *_ in rules(store)]
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept)), "each once"
    assert len(kept) <= len(answered) + CLIENTS, "nobody who had not clicked"
    with serving(root) as (url, _):
        again = Clickers(url, people)
        again.end()
    with closing(open_ledger(root)) as store:
        assert sorted(contact_id or 0 for contact_id, *_ in rules(store)) == list(range(1, PEOPLE + 1))


def test_two_servers_at_one_ledger_write_each_click_once(large: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(large, tmp_path / "project"))
    with serving(root) as (one, _), serving(root) as (other, _):
        both = [Clickers(url, range(1, PEOPLE + 1)) for url in (one, other)]
        for each in both:
            each.end()
    assert [len(each.answered) for each in both] == [PEOPLE, PEOPLE]
    with closing(open_ledger(root)) as store:
        assert len(rules(store)) == PEOPLE


@contextmanager
def own_server(root: Path) -> Iterator[str]:
    """The ASGI application under uvicorn's own command line, as docs/opt-outs.md shows it."""
    with closing(httpx.Client()) as client, free_port() as port:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLGROUP_")}
        command_line = [sys.executable, "-m", "uvicorn", "mlgroup_mail.web.asgi:app", "--port", str(port)]
        started = subprocess.Popen(
            command_line, env=kept | PUBLIC | {"MLGROUP_PROJECT": str(root)}, stderr=subprocess.PIPE, text=True
        )
        try:
            url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
            while time.monotonic() < deadline and started.poll() is None:
                try:
                    client.get(url)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield url
        finally:
            started.terminate()
            started.communicate(timeout=30)


@contextmanager
def free_port() -> Iterator[int]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    yield port


def test_it_runs_under_a_server_of_one_s_own(readers: Path) -> None:
    with own_server(readers) as url:
        page = httpx.get(f"{url}/group/opt-out/{token(1)}", headers={"X-Forwarded-Host": "evil.example"})
        assert page.status_code == 200
        assert page.text.startswith("<!DOCTYPE html>")
        assert "evil.example" not in page.text
        assert httpx.post(f"{url}/opt-out/{token(1)}", data=ONE_CLICK).status_code == 200
    with closing(open_ledger(readers)) as store:
        assert rules(store) == [(1, "newsletter", "page", True)]


def test_under_a_server_of_one_s_own_a_project_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLGROUP_")}
    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "mlgroup_mail.web.asgi:app", "--port", "0"],
        env=kept | {"MLGROUP_PROJECT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "there is no project here" in ended.stderr
    assert "Traceback" not in ended.stderr


def click_while_sending(root: Path, settings: dict[str, str], run: Run, use: Settings) -> None:
    """Person 4 clicks while the mail to person 2 is being handed over, and that to person 3 may have been claimed."""
    with gated_smtp(Phase.DOT, person(2)) as server, serving(root, **settings) as (url, _):
        sent = through(server) | settings
        use(sent)
        with command(root, "send", LETTER, "--live", "--late", "trial", settings=sent) as sending:
            server.wait_until_reached()
            answer = httpx.post(f"{url}/opt-out/{token(4)}", data=ONE_CLICK)
            assert answer.status_code == 200
            server.open_gate()
            assert sending.end().code == 0
        got = [address for taken in server.taken for address in taken.recipients]
    assert sorted(got) == [person(number) for number in (1, 2, 3, 5, 6)]
    assert "excluded" in run("log", LETTER).text
    assert run("verify").code == 0


def plant_an_attempt_after_the_opt_out(store: Store) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE suppression SET contact_id = (SELECT contact_id FROM delivery WHERE state = 'accepted' LIMIT 1), "
            "number = 1"
        )


def test_a_click_while_mail_is_going_out_counts_from_the_next_window_on(letter: Path, run: Run, use: Settings) -> None:
    click_while_sending(letter, {}, run, use)
    with closing(open_ledger(letter)) as store:
        plant_an_attempt_after_the_opt_out(store)
    broken = run("verify", "--json")
    assert broken.code == 1
    assert "3 " in str({each["invariant"] for each in broken.json["violations"]}), "and verify would have found it"


def test_the_same_on_postgresql(tmp_path: Path, run: Run, use: Settings, postgres_url: str) -> None:
    root = small_project(tmp_path / "project")
    settings = {"MLGROUP_DATABASE_URL": postgres_url.replace("postgresql+psycopg", "postgresql")}
    use(settings | {"MLGROUP_PROJECT": str(root)})
    for order in (["db", "upgrade"], ["contacts", "pull"], ["approve", LETTER, "--by", "the editor"]):
        assert run(*order).code == 0
    click_while_sending(root, settings, run, use)


def test_on_postgresql_many_clicks_at_once_are_all_kept(
    tmp_path: Path, run: Run, use: Settings, postgres_url: str
) -> None:
    root = small_project(tmp_path / "project", people=60)
    settings = {"MLGROUP_DATABASE_URL": postgres_url.replace("postgresql+psycopg", "postgresql")}
    use(settings | {"MLGROUP_PROJECT": str(root)})
    for order in (["db", "upgrade"], ["contacts", "pull"]):
        assert run(*order).code == 0
    with serving(root, **settings) as (one, first), serving(root, **settings) as (other, _):
        both = [Clickers(url, range(1, 61)) for url in (one, other)]
        both[0].wait_for(20)
        first.kill()
        for each in both:
            each.end()
    assert len(both[1].answered) == 60
    listed = [line for line in run("opt-out", "list", "--json").out.splitlines() if line]
    assert len(listed) >= 1
    with closing(Store(postgres_url, state=root / "var")) as store:
        assert sorted(contact_id or 0 for contact_id, *_ in rules(store)) == list(range(1, 61))
    assert run("verify").code == 0


def test_who_comes_while_another_writes_waits_for_the_next_transaction_with_all_the_others() -> None:
    written: list[list[int]] = []

    def write(some: Sequence[int]) -> list[int]:
        time.sleep(0.02)
        written.append(list(some))
        return [number * 2 for number in some]

    async def come(count: int) -> list[int]:
        together = Together[int, int](write)
        answers: dict[int, int] = {}

        async def one(number: int) -> None:
            answers[number] = await together.add(number)

        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(one, number)
        return [answers[number] for number in range(count)]

    count = AT_ONCE * 2 + 10
    assert anyio.run(come, count) == [number * 2 for number in range(count)]
    assert list(itertools.chain(*written)) == list(range(count)), "in order, each once"
    assert len(written) <= 4
    assert max(map(len, written)) == AT_ONCE


def test_where_a_transaction_fails_all_of_it_are_told_and_the_next_is_tried() -> None:
    fails = iter([True, False])

    def write(some: Sequence[int]) -> list[int]:
        if next(fails):
            raise RuntimeError
        return list(some)

    async def come() -> int:
        together = Together[int, int](write)
        with pytest.raises(NotWrittenError):
            await together.add(1)
        return await together.add(2)

    assert anyio.run(come) == 2


def test_who_goes_away_while_they_write_for_others_still_does() -> None:
    def write(some: Sequence[int]) -> list[int]:
        time.sleep(0.1)
        return list(some)

    async def come() -> int:
        together = Together[int, int](write)
        async with anyio.create_task_group() as group:
            leader = anyio.CancelScope()

            async def lead() -> None:
                with leader:
                    await together.add(1)

            group.start_soon(lead)
            await anyio.sleep(0.02)
            leader.cancel()
            return await together.add(2)

    assert anyio.run(come) == 2
