"""A real Prefect: server, process worker and command line, each a process of its own, as a team would run them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.processes import HOST, end_process, running

POOL = "mlgroup"
TERMINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
_SERVER_PATIENCE = 120.0
_EXCERPT = 6000


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefectServer:
    """A running server that wants its auth string, and how its clients are set up."""

    url: str
    auth: str
    home: Path
    log: Path

    def environment(self, **more: str) -> dict[str, str]:
        """This process's environment without settings of its own, and with those of a client of this server."""
        ours = {
            key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLGROUP_", "PYTHON"))
        }
        return ours | {
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.url,
            "PREFECT_API_AUTH_STRING": self.auth,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DO_NOT_TRACK": "1",
            **more,
        }

    def ask(self, path: str, body: dict[str, Any] | None = None, *, auth: str | None = None) -> Any:
        """GET, or POST where there is a body; raises HTTPError for any answer that is none."""
        token = base64.b64encode((self.auth if auth is None else auth).encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        for again in (True, True, True, False):
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                # A server on SQLite answers so while its database is locked; Prefect's own client asks again, too.
                if error.code != 503 or not again:
                    raise
                time.sleep(2)
        raise AssertionError("the last try ends otherwise")

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment by its name `flow/deployment`."""
        return dict(self.ask(f"deployments/name/{name}"))

    def runs(self, deployment: str) -> list[dict[str, Any]]:
        """The runs of a deployment, the planned ones too."""
        wanted = {"deployments": {"id": {"any_": [self.deployment(deployment)["id"]]}}}
        return list(self.ask("flow_runs/filter", wanted))

    def run(self, deployment: str, *, patience: float = 120.0) -> dict[str, Any]:
        """Order a run and wait for its end.

        A scheduled tick may have taken the one place that the limit leaves: then ours is cancelled, and we ask again.
        """
        deadline = time.monotonic() + patience
        while True:
            run = self.ask(f"deployments/{self.deployment(deployment)['id']}/create_flow_run", {})
            while run["state_type"] not in TERMINAL:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{deployment} is still {run['state_name']} after {patience:.0f} s")
                time.sleep(0.3)
                run = self.ask(f"flow_runs/{run['id']}")
            if run["state_type"] != "CANCELLED":
                return dict(run)


@contextlib.contextmanager
def run_prefect_server(folder: Path) -> Iterator[PrefectServer]:
    """A server with a database of its own in `folder`, for as long as the context lasts."""
    auth = f"team:{secrets.token_hex(16)}"
    home = folder / "home"
    home.mkdir()
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    start = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port"]
    command = ["env", *(f"{name}={value}" for name, value in settings.items()), *start]
    with running(lambda port: [*command, str(port)], folder=folder, patience=_SERVER_PATIENCE) as port:
        server = PrefectServer(
            url=f"http://{HOST}:{port}/api", auth=auth, home=folder / "client", log=folder / "server.log"
        )
        server.home.mkdir()
        _wait_until_healthy(server)
        yield server


def _wait_until_healthy(server: PrefectServer) -> None:
    deadline = time.monotonic() + _SERVER_PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            server.ask("health")
            return
        time.sleep(0.2)
    raise AssertionError(f"the Prefect server was not ready after {_SERVER_PATIENCE:.0f} s")


@contextlib.contextmanager
def run_worker(server: PrefectServer, python: Path, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A process worker, started in `folder`; what it and the server said is shown where the test fails."""
    folder.mkdir(exist_ok=True)
    log = folder / "worker.log"
    command = [str(python), "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield
    except AssertionError as error:
        error.add_note(excerpt("the server's log", server.log))
        error.add_note(excerpt("the worker's log", log))
        raise
    finally:
        end_process(worker, signal.SIGTERM)


def run_command(
    command: list[str | Path], *, folder: Path, environment: dict[str, str], patience: float = 120.0
) -> str:
    """Run a command to its end; returns what it printed, and fails with it where the exit code is not 0."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))} gave {done.returncode}:\n{done.stdout[-_EXCERPT:]}"
    return done.stdout


def deploy(python: Path, project: Path, environment: dict[str, str]) -> None:
    """What the README says: make the work pool, deploy everything from the project's directory."""
    prefect: list[str | Path] = [python, "-m", "prefect"]
    pool = [*prefect, "work-pool", "create", POOL, "--type", "process", "--overwrite"]
    run_command(pool, folder=project, environment=environment)
    run_command([*prefect, "deploy", "--all"], folder=project, environment=environment)


def excerpt(title: str, log: Path) -> str:
    """The end of a log, for a failing test."""
    return f"--- {title}:\n{log.read_text(errors='replace')[-_EXCERPT:] if log.exists() else 'there is none'}"
