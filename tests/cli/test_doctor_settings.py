"""`doctor` on slips in settings: names that nothing reads, and secrets in a file that is committed."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_doctor import Doctor, check, doctor, project

__all__ = ["doctor", "project"]

SECRET = "a-secret-for-tests-and-nothing-else-01234567"


def test_a_name_that_nothing_reads_is_told_with_the_nearest_one(
    doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_SENGRID_API_KEY", "SG.x")
    with (project / ".env").open("a", encoding="utf-8") as env:
        env.write("MLGROUP_ALOWED_DOMAINS=office.example\n")
    result = doctor("--json")
    found = check(result, "settings")
    assert (result.code, found["result"]) == (0, "warn")
    assert "environment: MLGROUP_SENGRID_API_KEY is not known" in found["detail"]
    assert ".env: MLGROUP_ALOWED_DOMAINS is not known" in found["detail"]
    assert "Did you mean MLGROUP_SENDGRID_API_KEY?" in found["mend"]
    assert "Did you mean MLGROUP_ALLOWED_DOMAINS?" in found["mend"]
    assert "SG.x" not in result.out


def test_every_name_that_is_read_is_known(
    doctor: Doctor, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("SG.x", encoding="utf-8")
    monkeypatch.setenv("MLGROUP_PROJECT", str(project))
    monkeypatch.setenv("MLGROUP_SENDGRID_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("mlgroup_batch_size", "200")
    monkeypatch.setenv("OTHERS_SETTING", "x")
    assert check(doctor("--json"), "settings")["result"] == "pass"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f'secret_keys = "{SECRET}"', "MLGROUP_SECRET_KEYS"),
        (f'smtp_password = "{SECRET}"', "MLGROUP_SMTP_PASSWORD"),
        (f'database_url = "postgresql://us:{SECRET}@db.example/mail"', "MLGROUP_DATABASE_URL"),
    ],
)
def test_a_secret_in_the_file_that_is_committed_is_told(doctor: Doctor, project: Path, line: str, name: str) -> None:
    path = project / "mlgroup.toml"
    text = path.read_text(encoding="utf-8")
    settings = f"[settings]\n{line}\n"
    path.write_text(
        text.replace("[settings]\n", settings) if "[settings]\n" in text else f"{text}\n{settings}", encoding="utf-8"
    )
    result = doctor("--json")
    found = check(result, "settings")
    assert found["result"] == "warn"
    assert "stands where a commit takes it along" in found["detail"]
    assert f"into .env as {name}" in found["mend"]
    assert SECRET not in result.out


def test_a_database_without_a_password_may_stand_there(doctor: Doctor, project: Path) -> None:
    path = project / "mlgroup.toml"
    text = path.read_text(encoding="utf-8")
    line = 'database_url = "sqlite:///var/mlgroup.db"\n'
    text = (
        text.replace("[settings]\n", f"[settings]\n{line}") if "[settings]\n" in text else f"{text}\n[settings]\n{line}"
    )
    path.write_text(text, encoding="utf-8")
    assert check(doctor("--json"), "settings")["result"] == "pass"


def test_a_secret_that_does_not_fit_is_never_proposed_for_that_file(
    run: Run, doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_SECRET_KEYS", "short")
    found = check(doctor("--json"), "settings")
    assert "each key needs at least 32 characters" in found["detail"]
    assert "mlgroup.toml" not in found["mend"]
    assert ".env" in found["mend"]
    monkeypatch.setenv("MLGROUP_SECRET_KEYS", SECRET)
    monkeypatch.setenv("MLGROUP_BATCH_SIZE", "none")
    assert "“batch_size” under [settings]" in check(doctor("--json"), "settings")["mend"]
