"""`doctor`: what is set up, what answers, what is missing."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Result, Run
from tests.servers.entra import CLIENT_ID, SECRET, TENANT, Entra
from tests.servers.faults import Phase
from tests.servers.faulty_smtp import FaultySmtp

Doctor = Callable[..., Result]


@pytest.fixture
def project(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh project, on a machine where nobody has set up Prefect."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "no-prefect"))
    run("init", "ours")
    return tmp_path / "ours"


@pytest.fixture
def doctor(run: Run, project: Path) -> Doctor:
    return lambda *options: run("--project", project, "doctor", *options)


def results(result: Result) -> dict[str, str]:
    return {check["name"]: check["result"] for check in result.json["checks"]}


def check(result: Result, name: str) -> dict[str, str]:
    (found,) = [check for check in result.json["checks"] if check["name"] == name]
    assert set(found) == {"name", "result", "detail", "mend"}
    return dict(found)


def test_a_fresh_project_is_in_order_and_says_what_is_not_set_up_yet(doctor: Doctor) -> None:
    found = doctor("--json")
    assert found.code == 0
    assert {name for name, result in results(found).items() if result == "warn"} == {"opt-out page", "schedules"}
    assert "fail" not in results(found).values()
    assert "nothing leaves this machine" in check(found, "transport")["detail"]


def test_people_get_the_same_as_a_table_with_the_mends(doctor: Doctor) -> None:
    shown = doctor()
    assert shown.code == 0
    assert re.search(r"^ok +transport +outbox: every mail becomes a file", shown.out, re.MULTILINE)
    assert re.search(r"^look +opt-out page", shown.out, re.MULTILINE)
    assert "set it to their address" in shown.text
    assert "0 failed." in shown.out


def test_it_asks_and_changes_nothing(doctor: Doctor, project: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    doctor()
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before


def test_no_key_is_ever_shown(doctor: Doctor, project: Path) -> None:
    keys = re.findall(r"=([0-9a-f]{64})", (project / ".env").read_text(encoding="utf-8"))
    for options in ((), ("--json",), ("--for-it",)):
        assert not [key for key in keys if key in doctor(*options).out]


def test_where_there_is_no_project_that_is_what_it_says(run: Run) -> None:
    found = run("doctor", "--json")
    assert found.code == 1
    assert results(found) == {"project": "fail"}
    assert "mlgroup-mail init DIR" in check(found, "project")["mend"]


def test_a_broken_project_file_is_a_failed_check_with_its_line(doctor: Doctor, project: Path) -> None:
    (project / "mlgroup.toml").write_text("[group\nname = 1\n", encoding="utf-8")
    found = doctor("--json")
    assert found.code == 1
    assert results(found) == {"project": "fail"}
    assert "mlgroup.toml, line 1" in check(found, "project")["detail"]


def test_a_wrong_setting_is_a_failed_check_that_names_it(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_SMTP_PORT", "many")
    found = doctor("--json")
    assert found.code == 1
    assert "MLGROUP_SMTP_PORT" in check(found, "settings")["detail"]


@pytest.mark.parametrize(
    ("path", "text", "name", "says"),
    [
        ("contacts/contacts.toml", "[[source]]\nname = 'members'\npath = 'gone.csv'\n", "contact list", "gone.csv"),
        ("contacts/contacts.toml", "nonsense", "contact list", "contacts.toml, line 1"),
        ("contacts/sample-members.csv", "Colour,Size\nred,1\n", "contact list", "sample-members.csv"),
        ("templates/call.txt.j2", "{% include 'gone.j2' %}", "templates", "gone.j2"),
        ("ledger.toml", 'ledger = "another"\n', "ledger", "the database here is new"),
    ],
)
def test_a_file_that_cannot_be_used_fails_its_check_and_the_others_go_on(
    doctor: Doctor, project: Path, path: str, text: str, name: str, says: str
) -> None:
    (project / path).write_text(text, encoding="utf-8")
    found = doctor("--json")
    assert found.code == 1
    assert [each for each, result in results(found).items() if result == "fail"] == [name]
    assert says in check(found, name)["detail"]
    assert "schedules" in results(found)


def test_a_campaign_that_cannot_be_read_is_a_warning(doctor: Doctor, project: Path) -> None:
    """The others can still go out; `check` says more."""
    (project / "campaigns" / "first-newsletter" / "campaign.md").write_text("no front matter", encoding="utf-8")
    found = doctor("--json")
    assert found.code == 0
    assert check(found, "campaigns")["result"] == "warn"
    assert "campaigns/first-newsletter/campaign.md, line 1" in check(found, "campaigns")["detail"]


def test_without_keys_no_mail_can_be_made(doctor: Doctor, project: Path) -> None:
    (project / ".env").write_text("", encoding="utf-8")
    found = doctor("--json")
    assert found.code == 1
    assert results(found)["opt-out keys"] == "fail"
    assert results(found)["erasure key"] == "warn"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize(("mode", "result"), [(0o644, "fail"), (0o640, "warn"), (0o600, "pass")])
def test_secrets_that_others_can_read_are_found(doctor: Doctor, project: Path, mode: int, result: str) -> None:
    (project / ".env").chmod(mode)
    assert check(doctor("--json"), "secrets file")["result"] == result


def test_secrets_that_a_commit_would_take_are_found_before_there_is_a_repository(doctor: Doctor, project: Path) -> None:
    (project / ".gitignore").write_text("/var/\n", encoding="utf-8")
    assert check(doctor("--json"), "secrets file")["result"] == "fail"


@pytest.mark.skipif(not shutil.which("git"), reason="git is asked")
def test_secrets_in_git_are_found(doctor: Doctor, project: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    assert check(doctor("--json"), "secrets file")["result"] == "pass"
    subprocess.run(["git", "-C", str(project), "add", "--force", ".env"], check=True)
    found = check(doctor("--json"), "secrets file")
    assert (found["result"], found["detail"]) == ("fail", ".env is in git")


def test_a_database_that_is_none_fails(doctor: Doctor, project: Path) -> None:
    (project / "var").mkdir()
    (project / "var" / "mlgroup.db").write_text("this is no database at all" * 100, encoding="utf-8")
    found = doctor("--json")
    assert found.code == 1
    assert results(found)["database"] == "fail"
    assert results(found)["ledger"] == "pass"


def test_a_project_whose_mail_is_recorded_elsewhere_is_found(run: Run, doctor: Doctor, project: Path) -> None:
    run("--project", project, "contacts", "pull")
    (project / "ledger.toml").write_text('ledger = "another"\n', encoding="utf-8")
    found = check(doctor("--json"), "ledger")
    assert found["result"] == "fail"
    assert "another" in found["detail"]
    assert "db adopt" in found["mend"]


def test_a_ledger_behind_a_broken_database_is_not_judged(doctor: Doctor, project: Path) -> None:
    (project / "var").mkdir()
    (project / "var" / "mlgroup.db").write_text("this is no database at all" * 100, encoding="utf-8")
    (project / "ledger.toml").write_text('ledger = "another"\n', encoding="utf-8")
    assert check(doctor("--json"), "ledger")["result"] == "warn"


def smtp(monkeypatch: pytest.MonkeyPatch, port: int, **settings: str) -> None:
    values = {"transport": "smtp", "smtp_host": "127.0.0.1", "smtp_port": str(port), "smtp_tls": "none", **settings}
    for name, value in values.items():
        monkeypatch.setenv(f"MLGROUP_{name.upper()}", value)


@pytest.fixture
def logged_in(
    start_faulty_smtp: Callable[..., FaultySmtp], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], FaultySmtp]:
    """A mail server that wants the password “correct horse”, and settings with the password that is given."""

    def logged_in(password: str) -> FaultySmtp:
        server = start_faulty_smtp(tls="starttls", certificate=certificate, login=("team", "correct horse"))
        credentials = {"smtp_user": "team", "smtp_password": password}
        smtp(monkeypatch, server.port, smtp_tls="starttls", smtp_ca_file=str(certificate), **credentials)
        return server

    return logged_in


def test_a_mail_server_is_asked_up_to_the_login_and_no_message_is_begun(
    doctor: Doctor, logged_in: Callable[[str], FaultySmtp]
) -> None:
    server = logged_in("correct horse")
    found = check(doctor("--json"), "transport")
    assert (found["result"], found["detail"].rpartition(" answers, ")[2]) == ("pass", "TLS starttls, login accepted")
    assert [line for line in server.commands if line.startswith("AUTH")]
    assert [line for line in server.commands if line.startswith(("MAIL", "RCPT", "DATA"))] == []


def test_a_login_by_oauth_is_tried_and_the_limits_of_the_service_are_told(
    doctor: Doctor,
    start_faulty_smtp: Callable[..., FaultySmtp],
    certificate: Path,
    entra: Entra,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = {"group@example.org": "token-1-not-to-be-shown"}
    server = start_faulty_smtp(tls="starttls", certificate=certificate, tokens=tokens)
    smtp(
        monkeypatch,
        server.port,
        smtp_tls="starttls",
        smtp_ca_file=str(certificate),
        smtp_profile="exchange-online",
        smtp_user="group@example.org",
        smtp_oauth_tenant=TENANT,
        smtp_oauth_client_id=CLIENT_ID,
        smtp_oauth_client_secret=SECRET,
        smtp_oauth_authority=entra.url,
    )
    found = check(doctor("--json"), "transport")
    assert (found["result"], found["detail"].rpartition(" answers, ")[2]) == (
        "pass",
        "TLS starttls, login by OAuth accepted; 3 connections at most, 29 messages a minute, 10,000 messages a day",
    )
    assert server.connections == 1
    entra.refusal = "AADSTS700016"
    refused = check(doctor("--json"), "transport")
    assert refused["result"] == "fail"
    assert "the tenant knows no such application" in refused["detail"]


def test_a_login_that_is_refused_fails_without_showing_the_password(
    doctor: Doctor, logged_in: Callable[[str], FaultySmtp]
) -> None:
    logged_in("battery staple")
    found = doctor("--json")
    assert found.code == 1
    assert results(found)["transport"] == "fail"
    assert "battery staple" not in found.out


def test_a_mail_server_that_is_not_there_fails(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    smtp(monkeypatch, free_port())
    found = doctor("--json")
    assert found.code == 1
    assert results(found)["transport"] == "fail"


def test_a_server_in_trouble_fails_with_what_it_said(
    doctor: Doctor, faulty_smtp: FaultySmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty_smtp.on(Phase.GREETING, "554 5.7.1 not from your network")
    smtp(monkeypatch, faulty_smtp.port)
    assert "not from your network" in check(doctor("--json"), "transport")["detail"]


def test_before_real_mail_goes_out_example_values_are_pointed_out(
    doctor: Doctor, faulty_smtp: FaultySmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp(monkeypatch, faulty_smtp.port)
    found = doctor("--json")
    assert found.code == 0
    assert results(found)["senders"] == "warn"
    assert results(found)["allow-list"] == "warn"
    monkeypatch.setenv("MLGROUP_ENVIRONMENT", "production")
    assert results(doctor("--json"))["allow-list"] == "pass"


def test_a_clock_that_is_slow_or_held_still_is_found(
    doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-10-20T08:00:00Z")
    assert results(doctor("--json"))["clock"] == "warn"
    monkeypatch.delenv("MLGROUP_NOW")
    path = project / "mlgroup.toml"
    os.utime(path, (path.stat().st_atime + 86_400, path.stat().st_mtime + 86_400))
    assert results(doctor("--json"))["clock"] == "fail"


@pytest.fixture
def prefect_api() -> Iterator[str]:
    """Something that answers like a Prefect server's health check."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


def test_a_prefect_server_that_answers_passes(
    doctor: Doctor, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    assert results(doctor("--json"))["schedules"] == "pass"


def test_the_server_of_prefects_active_profile_is_asked_too(doctor: Doctor, prefect_api: str, tmp_path: Path) -> None:
    home = tmp_path / "no-prefect"
    home.mkdir()
    profile = f'active = "team"\n[profiles.team]\nPREFECT_API_URL = "{prefect_api}"\n'
    (home / "profiles.toml").write_text(profile, encoding="utf-8")
    assert results(doctor("--json"))["schedules"] == "pass"


@pytest.mark.parametrize("url", ["http://name:sesame@127.0.0.1:{port}/api", "ftp://127.0.0.1", "nonsense", "http://["])
def test_a_prefect_server_that_does_not_answer_fails(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url.format(port=free_port()))
    found = doctor("--json")
    assert found.code == 1
    assert results(found)["schedules"] == "fail"
    assert "sesame" not in found.out


def test_the_letter_to_the_it_department_names_our_senders_and_what_is_needed(doctor: Doctor) -> None:
    letter = doctor("--for-it")
    assert letter.code == 0
    for word in ("newsletter@example.org", "network@example.org", "STARTTLS", "SPF", "DKIM", "DMARC", "Limits"):
        assert word in letter.out
    assert max(len(line) for line in letter.out.splitlines()) <= 78


def test_the_letter_as_json(doctor: Doctor) -> None:
    requests = json.loads(doctor("--for-it", "--json").out)["requests"]
    assert {"SPF", "DKIM", "DMARC"} <= {request["title"] for request in requests}


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
