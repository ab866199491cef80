"""The built wheel in an environment of its own: from `init` to a delivered mail through a deployment."""

import json
import os
import subprocess
import sys
import sysconfig
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.flows.deployments import PrefectServer, deploy, run_command, run_worker

pytestmark = pytest.mark.xdist_group("prefect-server")

_CHECKOUT = Path(__file__).parents[2]
_WHERE = "import flows, json, mlgroup_mail; print(json.dumps([mlgroup_mail.__file__, flows.__file__]))"


@pytest.fixture(scope="module")
def environment_of_the_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; returns its folder of programs.

    The dependencies are those of the environment that runs the tests: installing them again would take minutes and
    prove nothing. Its own editable install does not show through, since a .pth file reached by another is not read.
    """
    folder = tmp_path_factory.mktemp("wheel")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLGROUP_"))}
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", _CHECKOUT]
    run_command(build, folder=folder, environment=plain)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv = folder / "venv"
    run_command([sys.executable, "-m", "venv", "--without-pip", venv], folder=folder, environment=plain)
    programs = venv / "bin"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        programs / "python",
        "install",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    run_command(install, folder=folder, environment=plain)
    packages = sysconfig.get_path("purelib", vars={"base": str(venv)})
    # Only after the install: pip must not see the editable one, and take the package for installed.
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return programs


def test_the_wheel_carries_the_fake_sendgrid_with_its_files_and_their_licence(
    environment_of_the_wheel: Path, tmp_path: Path
) -> None:
    where = "import mlgroup_mail.testing.sendgrid as it; print(it.__file__)"
    tries = "from mlgroup_mail.testing.sendgrid.schema import schema_flaws; print(len(list(schema_flaws({}))))"
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLGROUP_"))}
    python = environment_of_the_wheel / "python"
    package = Path(run_command([python, "-c", where], folder=tmp_path, environment=plain).strip()).parent
    assert package.is_relative_to(environment_of_the_wheel.parent)
    assert (package / "openapi" / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert run_command([python, "-c", tries], folder=tmp_path, environment=plain).strip() == "2"


def test_from_the_wheel_to_a_delivered_mail(
    environment_of_the_wheel: Path, prefect_server: PrefectServer, tmp_path: Path
) -> None:
    programs, python = environment_of_the_wheel, environment_of_the_wheel / "python"
    environment = prefect_server.environment()
    where = json.loads(run_command([python, "-c", _WHERE], folder=tmp_path, environment=environment))
    assert all(Path(file).is_relative_to(programs.parent) for file in where), where

    def mlgroup_mail(*arguments: str, folder: Path) -> str:
        return run_command([programs / "mlgroup-mail", *arguments], folder=folder, environment=environment)

    mlgroup_mail("init", "demo-group", folder=tmp_path)
    group = tmp_path / "demo-group"
    mlgroup_mail("contacts", "pull", folder=group)
    mlgroup_mail("approve", "first-newsletter/issue", "--by", "a test", folder=group)
    deploy(python, group, environment)
    with run_worker(prefect_server, python, tmp_path / "elsewhere", environment):
        run = prefect_server.run("dispatch/dispatch")
        assert run["state_type"] == "COMPLETED", run["state"]

    status = json.loads(mlgroup_mail("status", "first-newsletter/issue", "--json", folder=group))
    assert status["state"] == "finished"
    delivered = Counter(_recipient(file) for file in (group / "var" / "outbox").rglob("*.eml"))
    assert len(delivered) == status["counts"]["accepted"] > 0
    assert set(delivered.values()) == {1}


def test_the_wheel_carries_what_a_project_needs(environment_of_the_wheel: Path) -> None:
    """Flows, templates, migrations and the samples are in the package, not beside the checkout."""
    needed = ["templates", "campaigns", "contacts", "mlgroup.toml", "prefect.yaml"]
    code = f"from mlgroup_mail.shipped import shipped; print(*(shipped(name) for name in {needed}), sep='\\n')"
    found = subprocess.check_output([environment_of_the_wheel / "python", "-c", code], cwd="/", text=True).split("\n")[
        :-1
    ]

    assert len(found) == len(needed)
    for path in map(Path, found):
        assert path.is_relative_to(environment_of_the_wheel.parent)
        assert path.exists()


def _recipient(file: Path) -> str:
    return str(message_from_bytes(file.read_bytes(), policy=policy.SMTP)["To"])
