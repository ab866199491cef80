"""`mlgroup-mail web` over a real socket: the pictures of approved mailings, and nothing else."""

import hashlib
import http.client
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN, LETTER, Command, command, small_project
from tests.cli.conftest import Run, run
from tests.content.pictures.drawing import drawn

__all__ = ["run"]

PUBLIC = {"MLGROUP_PUBLIC_URL": "https://mail.example.org/group"}


class Client:
    """Asks one server."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, path: str, method: str = "GET") -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def first_line(started: Command) -> str:
    assert started._process.stdout is not None
    return started._process.stdout.readline()


@contextmanager
def serving(root: Path) -> Iterator[tuple[Client, Command]]:
    with command(root, "web", "--port", "0", settings=PUBLIC) as started:
        line = first_line(started)
        port = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert port, line
        yield Client(int(port[1])), started


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A letter that shows a picture of its folder; another lies there and is not shown."""
    root = small_project(tmp_path / "project", people=2)
    folder = root / "campaigns" / "letter"
    (folder / "campaign.md").write_text(CAMPAIGN + "\n![A chart](chart.png)\n", encoding="utf-8")
    (folder / "chart.png").write_bytes(drawn())
    (folder / "other.png").write_bytes(drawn(colour="#ff0000"))
    settings = root / "mlgroup.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("[theme]\n", '[theme]\nimages = "hosted"\n'), encoding="utf-8"
    )
    return root


@pytest.fixture
def approved(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in PUBLIC.items():
        monkeypatch.setenv(name, value)
    assert run("--project", project, "contacts", "pull").code == 0
    assert run("--project", project, "approve", LETTER, "--by", "the editor").code == 0
    return project


def shown(root: Path, run: Run) -> list[str]:
    """The addresses of pictures in a finished mail, without the public URL."""
    assert run("--project", root, "send", LETTER, "--live", "--late", "trial").code == 0
    mail = next((root / "var" / "outbox").rglob("*.eml")).read_bytes().replace(b"=\r\n", b"")
    assert b"Content-ID" not in mail, "hosted pictures do not travel"
    return [found.decode() for found in re.findall(rb"https://mail\.example\.org/group(/images/[^\"]+)", mail)]


def test_a_mail_shows_its_pictures_from_the_public_address_and_they_are_there(approved: Path, run: Run) -> None:
    addresses = shown(approved, run)
    assert any(address.endswith("/chart.png") for address in addresses)
    with serving(approved) as (ask, _):
        for address in addresses:
            status, headers, body = ask(address)
            assert (status, headers["Content-Type"]) == (200, "image/png")
            assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert body.startswith(b"\x89PNG")
            assert headers["Server"] is None
            status, of_head, nothing = ask(address, "HEAD")
            assert (status, nothing, of_head["Content-Length"]) == (200, b"", str(len(body)))
        chart = next(address for address in addresses if address.endswith("/chart.png"))
        assert ask(chart)[2] == drawn()


def test_nothing_else_is_there_and_nothing_can_be_changed(approved: Path) -> None:
    there = hashlib.sha256(drawn()).hexdigest()
    not_shown = hashlib.sha256(drawn(colour="#ff0000")).hexdigest()
    before = (approved / "var" / "mlgroup.db").read_bytes()
    with serving(approved) as (ask, _):
        assert ask(f"/images/{there}/chart.png")[0] == 200
        for path in (
            f"/images/{not_shown}/other.png",
            f"/images/{there.upper()}/chart.png",
            f"/images/{there}",
            f"/images/{there}/",
            f"/images/{there}/a/b.png",
            "/images/",
            "/images/../mlgroup.db",
            "/images/%2e%2e/mlgroup.db",
            "/images/%00/x.png",
            "/",
            "/mlgroup.toml",
        ):
            assert ask(path)[0] == 404, path
        for method in ("POST", "PUT", "DELETE"):
            assert ask(f"/images/{there}/chart.png", method)[0] == 405
    assert (approved / "var" / "mlgroup.db").read_bytes() == before


def test_a_picture_of_a_mailing_that_nobody_has_approved_is_not_there(project: Path, run: Run) -> None:
    assert run("--project", project, "contacts", "pull").code == 0
    with serving(project) as (ask, _):
        assert ask(f"/images/{hashlib.sha256(drawn()).hexdigest()}/chart.png")[0] == 404


def test_ctrl_c_ends_it_in_order(approved: Path) -> None:
    with serving(approved) as (ask, started):
        assert ask("/")[0] == 404
        started.signal(signal.SIGINT)
        ended = started.end()
    assert (ended.code, ended.err) == (0, "")


def test_a_port_that_is_taken_is_one_clear_error(approved: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--project", approved, "web", "--port", taken.getsockname()[1])
    assert result.code == 2
    assert "cannot listen on 127.0.0.1" in result.text


def test_without_a_public_url_hosted_pictures_are_an_error_that_says_what_to_do(project: Path, run: Run) -> None:
    assert run("--project", project, "contacts", "pull").code == 0
    result = run("--project", project, "check", "letter", "--json")
    assert result.code == 1
    (found,) = [each for each in result.json["findings"] if each["level"] == "error"]
    assert "hosted" in found["message"]
    assert "MLGROUP_PUBLIC_URL" in found["mend"]
    assert run("--project", project, "approve", LETTER, "--by", "the editor").code == 1
