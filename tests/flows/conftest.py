"""One Prefect for all flow tests of a run, and a small project for each."""

import gc
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.deployments import PrefectServer, run_prefect_server
from tests.flows.projects import SmallProject, write_project


@pytest.fixture(scope="session", autouse=True)
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of this account's own takes part. Prefect reads settings when it is imported: tests import it late."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            patch.delenv(name)
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patch.setenv("DO_NOT_TRACK", "1")
        yield


@pytest.fixture(scope="session")
def prefect(prefect_home: None) -> Iterator[None]:
    """Prefect's own test harness: a server with a database of its own (about ten seconds, once a run)."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def project(prefect: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallProject]:
    """A small project that the flows of this process work in; nothing of the environment takes part."""
    for name in [name for name in os.environ if name.startswith("MLGROUP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLGROUP_SECRET_KEYS", "k" * 64)
    monkeypatch.setenv("MLGROUP_PROJECT", str(tmp_path / "group"))
    yield write_project(tmp_path / "group")
    # Prefect 3.8 leaves the client open that asks where results are stored (prefect/results.py): what it has forgotten
    # is collected here, where the warning about it is not an error, and not in a later test.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A real server for the whole run, for tests with workers and deployments."""
    with run_prefect_server(tmp_path_factory.mktemp("prefect-server")) as server:
        yield server
