"""A run that is cancelled while it sends: it ends in good order, and the ledger is right."""

import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.projects import through
from tests.flows.deployments import PrefectServer, deploy, run_worker
from tests.flows.projects import NEWSLETTER, SmallProject
from tests.flows.test_deployment import write_deployable
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.xdist_group("prefect-server")

PYTHON = Path(sys.executable)


@pytest.fixture
def due_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A small project whose newsletter was due an hour ago by the real clock, and is approved."""
    monkeypatch.setenv("MLGROUP_SECRET_KEYS", "k" * 64)
    project = write_deployable(tmp_path / "group")
    now = datetime.now(UTC)
    project.edit(NEWSLETTER, "2021-11-02 09:00 UTC", f"{now - timedelta(hours=1):%Y-%m-%d %H:%M} UTC")
    project.pull(at=now)
    project.approve(NEWSLETTER, at=now)
    return project


def asked(project: SmallProject, question: str) -> Any:
    ledger = sqlite3.connect(project.root / "var" / "mlgroup.db", timeout=30)
    try:
        return ledger.execute(question).fetchall()
    finally:
        ledger.close()


def wait_for(what: Callable[[], bool], *, patience: float = 120.0) -> None:
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


def test_a_cancelled_run_stops_sending_and_says_goodbye_to_the_ledger(
    prefect_server: PrefectServer, due_now: SmallProject, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    """At one message a minute: cancelled after the first, nothing more goes, and the owner has ended by itself."""
    environment = prefect_server.environment(MLGROUP_SECRET_KEYS="k" * 64, **through(smtp_sink, smtp_per_minute=1))
    deploy(PYTHON, due_now.root, environment)
    with run_worker(prefect_server, PYTHON, tmp_path / "elsewhere", environment):
        deployment = prefect_server.deployment("dispatch/dispatch")["id"]
        run: dict[str, Any] = {}

        def begun() -> bool:
            nonlocal run
            if not run or run["state_type"] == "CANCELLED":
                # A scheduled tick may have the only place for a moment.
                run = prefect_server.ask(f"deployments/{deployment}/create_flow_run", {})
            run = prefect_server.ask(f"flow_runs/{run['id']}")
            assert run["state_type"] not in {"FAILED", "CRASHED"}, run["state"]
            return bool(smtp_sink.messages())

        wait_for(begun)
        sent_by = [each for each in prefect_server.runs("dispatch/dispatch") if each["state_type"] == "RUNNING"]
        for each in sent_by:
            order = {"state": {"type": "CANCELLING"}, "force": False}
            prefect_server.ask(f"flow_runs/{each['id']}/set_state", order)
        wait_for(lambda: bool(asked(due_now, "SELECT 1 FROM owner WHERE ended_at IS NOT NULL")))
        wait_for(
            lambda: {prefect_server.ask(f"flow_runs/{each['id']}")["state_type"] for each in sent_by} == {"CANCELLED"}
        )
    assert asked(due_now, "SELECT epoch FROM owner") == [(0,)], "it ended by itself, nobody gave it up for dead"
    accepted = len(smtp_sink.messages())
    states = dict(asked(due_now, "SELECT state, count(*) FROM delivery GROUP BY state"))
    assert states == {"accepted": accepted, "planned": 4 - accepted, "excluded": 1}
    assert accepted < 4
