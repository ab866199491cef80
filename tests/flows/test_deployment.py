"""The deployments of `prefect.yaml`, on a real server with a real worker."""

import sys
import time
import urllib.error
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from mlgroup_mail.shipped import shipped
from tests.flows.deployments import PrefectServer, deploy, run_worker
from tests.flows.projects import DUE, NEWSLETTER, PEOPLE, SmallProject, write_project

pytestmark = pytest.mark.xdist_group("prefect-server")

PYTHON = Path(sys.executable)
KEYS = {"MLGROUP_SECRET_KEYS": "k" * 64}


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A small project with `prefect.yaml`, its newsletter approved."""
    monkeypatch.setenv("MLGROUP_SECRET_KEYS", KEYS["MLGROUP_SECRET_KEYS"])
    project = write_deployable(tmp_path / "group")
    project.pull()
    project.approve(NEWSLETTER)
    return project


@pytest.fixture(scope="module")
def deployed(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> PrefectServer:
    """A server with everything deployed, and no worker."""
    project = write_deployable(tmp_path_factory.mktemp("deployed") / "group")
    deploy(PYTHON, project.root, prefect_server.environment(**KEYS))
    return prefect_server


def write_deployable(root: Path) -> SmallProject:
    project = write_project(root)
    (root / "prefect.yaml").write_text(shipped("prefect.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return project


def test_a_deployment_run_delivers_an_approved_mailing(
    prefect_server: PrefectServer, group: SmallProject, tmp_path: Path
) -> None:
    """`prefect deploy --all` in the project, a worker started elsewhere, a run of dispatch: everybody has one mail."""
    environment = prefect_server.environment(**KEYS, MLGROUP_NOW=DUE.isoformat())
    deploy(PYTHON, group.root, environment)

    with run_worker(prefect_server, PYTHON, tmp_path / "elsewhere", environment):
        for _ in range(2):
            run = prefect_server.run("dispatch/dispatch")
            assert run["state_type"] == "COMPLETED", run["state"]
            assert group.addresses() == sorted(address for address, _ in PEOPLE)
        opt_outs = prefect_server.run("opt-outs/opt-outs")
        assert opt_outs["state_type"] == "COMPLETED", opt_outs["state"]

    assert run["name"].startswith("dispatch, ")
    assert {"mlgroup-mail", "sends-mail"} <= set(run["tags"])


def test_the_schedules_make_runs_in_british_time(deployed: PrefectServer) -> None:
    """Not only written down: Prefect's scheduler dies without a word with some versions of what it stands on."""
    assert _minutes_of_planned_runs(deployed, "dispatch/dispatch") == {0, 5}
    assert _minutes_of_planned_runs(deployed, "opt-outs/opt-outs") == {0}
    (schedule,) = deployed.deployment("newsletter/newsletter")["schedules"]
    assert (schedule["active"], schedule["schedule"]["timezone"]) == (False, "Europe/London")
    assert _planned(deployed, "newsletter/newsletter") == []


def test_the_server_lets_one_run_of_each_deployment_work_at_a_time(deployed: PrefectServer) -> None:
    for name in ("dispatch/dispatch", "opt-outs/opt-outs", "newsletter/newsletter"):
        found = deployed.deployment(name)
        assert found["global_concurrency_limit"]["limit"] == 1
        assert found["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_the_server_answers_nobody_without_the_auth_string(prefect_server: PrefectServer) -> None:
    """Whoever can order a run could send: the server's door is shut."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        prefect_server.ask("flow_runs/filter", {}, auth="team:guess")
    refused.value.close()

    assert refused.value.code == 401


def _minutes_of_planned_runs(server: PrefectServer, deployment: str, *, patience: float = 60.0) -> set[int]:
    """On which minutes of ten the planned runs begin, by the clock in London."""
    deadline = time.monotonic() + patience
    while len(planned := _planned(server, deployment)) < 3:
        assert time.monotonic() < deadline, f"no runs of {deployment} were planned in {patience:.0f} s"
        time.sleep(0.5)
    return {time.astimezone(ZoneInfo("Europe/London")).minute % 10 for time in planned}


def _planned(server: PrefectServer, deployment: str) -> list[datetime]:
    runs = [run for run in server.runs(deployment) if run["auto_scheduled"] and run["state_type"] == "SCHEDULED"]
    return [datetime.fromisoformat(run["expected_start_time"]) for run in runs]


def _deployments() -> list[dict[str, Any]]:
    return list(yaml.safe_load(shipped("prefect.yaml").read_text(encoding="utf-8"))["deployments"])


def test_each_deployment_runs_alone_and_cancels_what_comes_too_early() -> None:
    names = {each["name"] for each in _deployments()}
    assert names == {"dispatch", "opt-outs", "provider-lists", "retention", "newsletter", "call-for-proposals"}
    for each in _deployments():
        assert each["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}, each["name"]
        assert {schedule["timezone"] for schedule in each["schedules"]} <= {"Europe/London"}, each["name"]


def test_the_deployments_file_names_no_place_and_no_group() -> None:
    """`init` copies it into every project as it is."""
    text = shipped("prefect.yaml").read_text(encoding="utf-8")

    assert not [word for word in text.split() if word.startswith(("/", "~")) or ":\\" in word]
    assert {each["entrypoint"].partition(".")[0] for each in _deployments()} == {"flows"}
    # With a colon Prefect would take it for a file, and copy the project's directory to wherever the worker is.
    assert not [each["entrypoint"] for each in _deployments() if ":" in each["entrypoint"]]
