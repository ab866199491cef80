"""`doctor` on what the world reaches: the opt-out page, joining, and SendGrid's events."""

import re
from pathlib import Path

import pytest

from mlgroup_mail.testing.sendgrid.signing import Signer
from tests.cli.conftest import Run
from tests.cli.test_doctor import Doctor, check, doctor, project, results
from tests.web.readers import serving

__all__ = ["doctor", "project"]


@pytest.mark.parametrize(
    ("url", "result", "says"),
    [
        ("https://lists.example.org", "warn", "from here no opt-out page is seen"),
        ("http://lists.example.org", "fail", "is not https"),
        ("http://127.0.0.1:9", "warn", "nothing listens there"),
    ],
)
def test_the_opt_out_page_must_be_https_unless_it_is_here(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, url: str, result: str, says: str
) -> None:
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", url)
    found = check(doctor("--json"), "opt-out page")
    assert (found["result"], says in found["detail"]) == (result, True)
    assert "Errno" not in found["detail"]


def test_the_opt_out_page_is_asked_for(doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(project) as (url, _):
        monkeypatch.setenv("MLGROUP_PUBLIC_URL", f"{url}/group")
        assert check(doctor("--json"), "opt-out page")["result"] == "pass"
        monkeypatch.setenv("MLGROUP_PUBLIC_URL", f"{url}/elsewhere")
        found = check(doctor("--json"), "opt-out page")
    assert (found["result"], "there is no opt-out page: the answer there is 404" in found["detail"]) == ("fail", True)


def test_a_page_that_knows_another_key_opts_nobody_out_and_fails(
    doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(project, MLGROUP_SECRET_KEYS="a-key-that-mails-are-not-signed-with-0123456789") as (url, _):
        monkeypatch.setenv("MLGROUP_PUBLIC_URL", f"{url}/group")
        found = check(doctor("--json"), "opt-out page")
    assert found["result"] == "fail"
    assert "does not know the key that links are made with here" in found["detail"]
    assert "the same MLGROUP_SECRET_KEYS" in found["mend"]


def test_without_a_key_the_page_is_looked_for_all_the_same(
    doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(project) as (url, _):
        monkeypatch.setenv("MLGROUP_PUBLIC_URL", f"{url}/group")
        (project / ".env").write_text("", encoding="utf-8")
        assert check(doctor("--json"), "opt-out page")["result"] == "pass"


def add_joining(project: Path) -> None:
    path = project / "mlgroup.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[join]\ntopics = ["newsletter"]\n', encoding="utf-8")


def test_joining_without_a_public_address_fails_here_as_it_does_in_web(
    run: Run, doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "joining" not in results(doctor("--json"))
    add_joining(project)
    found = doctor("--json")
    assert (found.code, check(found, "joining")["result"]) == (1, "fail")
    assert not (project / "var" / "mlgroup.db").exists(), "it asks, and changes nothing"
    refused = run("--project", project, "web", "--port", "0")
    assert refused.code == 2
    assert check(found, "joining")["detail"].removeprefix("MLGROUP_PUBLIC_URL: ") in refused.text
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", "https://mail.example.org/group")
    assert "https://mail.example.org/group/join" in check(doctor("--json"), "joining")["detail"]


def test_joining_mails_that_cannot_be_made_fail(doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_joining(project)
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", "https://mail.example.org")
    folder = project / "templates" / "courtesies"
    folder.mkdir(parents=True)
    (folder / "welcome.txt.j2").write_text("{% if %}", encoding="utf-8")
    found = check(doctor("--json"), "joining")
    assert (found["result"], bool(re.search(r"welcome\.txt\.j2", found["detail"]))) == ("fail", True)


def test_keys_of_the_webhook_that_web_refuses_fail(
    run: Run, doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_SENDGRID_WEBHOOK_KEYS", "abc")
    found = doctor("--json")
    assert (found.code, check(found, "webhook")["result"]) == (1, "fail")
    assert "number 1 of the keys is not a public key" in check(found, "webhook")["detail"]
    refused = run("--project", project, "web", "--port", "0")
    assert (refused.code, "number 1 of the keys is not a public key" in refused.text) == (2, True)


def test_a_webhook_key_that_can_be_used_is_told_with_its_address(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_SENDGRID_WEBHOOK_KEYS", Signer().public_key)
    assert check(doctor("--json"), "webhook")["result"] == "warn"
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", "https://mail.example.org/")
    assert "https://mail.example.org/webhooks/sendgrid" in check(doctor("--json"), "webhook")["detail"]


@pytest.mark.parametrize("ending", ["/opt-out", "/opt-out/", "/group/preferences"])
def test_a_public_address_that_names_a_page_is_refused_before_any_link_is_dead(
    run: Run, doctor: Doctor, project: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", f"https://mail.example.org{ending}")
    found = check(doctor("--json"), "settings")
    assert (found["result"], "leave “/" in found["detail"]) == ("fail", True)
    assert run("--project", project, "preview", "first-newsletter").code == 2


def test_a_public_address_with_a_path_of_its_own_is_right(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_PUBLIC_URL", "https://mail.example.org/opt-out-pages/group")
    assert run("--project", project, "preview", "first-newsletter").code == 0
