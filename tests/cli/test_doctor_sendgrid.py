"""`doctor` over a SendGrid account: the fake one, set up well and badly. It asks and changes nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlgroup_mail.testing.sendgrid import FakeSendGrid, Fault, Trouble, fake_sendgrid
from mlgroup_mail.testing.sendgrid.account import Account
from tests.cli.conftest import Result, Run

Doctor = Callable[[], Result]
SETTINGS = "/v3/tracking_settings/click"


@pytest.fixture
def sendgrid(monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[FakeSendGrid]:
    with fake_sendgrid() as fake:
        monkeypatch.setenv("MLGROUP_TRANSPORT", "sendgrid")
        monkeypatch.setenv("MLGROUP_SENDGRID_URL", fake.url)
        monkeypatch.setenv("MLGROUP_SENDGRID_API_KEY", fake.key)
        yield fake


@pytest.fixture
def doctor(run: Run, sendgrid: FakeSendGrid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "no-prefect"))
    run("init", "ours")

    def ask() -> Result:
        found = run("--project", "ours", "doctor", "--json")
        assert sendgrid.key not in found.out + found.err
        assert not sendgrid.requests, "no message is begun"
        return found

    return ask


def told(found: Result, name: str) -> tuple[str, str]:
    (check,) = [check for check in found.json["checks"] if check["name"] == f"SendGrid {name}"]
    return check["result"], f"{check['detail']} {check['mend']}"


def transport(found: Result) -> str:
    return str({check["name"]: check["result"] for check in found.json["checks"]}["transport"])


def sendgrid_checks(found: Result) -> list[str]:
    return [check["name"] for check in found.json["checks"] if check["name"].startswith("SendGrid")]


def test_an_account_in_order_passes(doctor: Doctor) -> None:
    found = doctor()
    assert transport(found) == "pass"
    assert told(found, "key")[0] == "pass"
    assert told(found, "senders") == ("pass", "authenticated: example.org ")
    assert told(found, "tracking") == (
        "pass",
        "click tracking, open tracking: on in the account, off in every mail of ours ",
    )
    assert told(found, "lists") == ("pass", "SendGrid's lists are empty ")


def test_with_another_transport_nobody_asks_sendgrid(
    doctor: Doctor, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_TRANSPORT", "outbox")
    assert not [check for check in doctor().json["checks"] if "SendGrid" in check["name"]]


def test_a_missing_key_is_told_once(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLGROUP_SENDGRID_API_KEY")
    found = doctor()
    assert (found.code, transport(found)) == (1, "fail")
    assert sendgrid_checks(found) == []


def test_a_wrong_key_fails_with_a_word_about_regions(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_SENDGRID_API_KEY", "SG.wrong.key")
    found = doctor()
    assert found.code == 1
    result, words = told(found, "key")
    assert result == "fail"
    assert "https://api.eu.sendgrid.com" in words
    assert sendgrid_checks(found) == ["SendGrid key"], "it is told once, and not that the key lacks rights"


@pytest.mark.parametrize(
    ("scopes", "result", "word"),
    [
        (["scopes.read", "tracking_settings.read"], "fail", "may not send"),
        (["mail.send", "api_keys.create"], "warn", "restricted"),
        (["mail.send"], "pass", "may send"),
    ],
)
def test_what_the_key_may(doctor: Doctor, sendgrid: FakeSendGrid, scopes: list[str], result: str, word: str) -> None:
    sendgrid.account.scopes = scopes
    found = told(doctor(), "key")
    assert found[0] == result
    assert word in found[1]


def test_what_a_key_may_not_read_is_a_warning_and_no_failure(doctor: Doctor, sendgrid: FakeSendGrid) -> None:
    sendgrid.account.scopes = ["mail.send"]
    found = doctor()
    for name in ("senders", "tracking", "lists"):
        assert told(found, name)[0] == "warn"
        assert "not shown to this key" in told(found, name)[1]


@pytest.mark.parametrize(
    ("domains", "confirmed", "result", "word"),
    [
        ({"example.org": False}, [], "fail", "not authenticated: example.org"),
        ({"other.example": True}, [], "fail", "not authenticated: example.org"),
        ({"rg": True, "le.org": True}, [], "fail", "not authenticated: example.org"),
        ({"EXAMPLE.org": True}, [], "pass", "authenticated: example.org"),
    ],
)
def test_whose_name_mail_may_go_out_in(
    doctor: Doctor, sendgrid: FakeSendGrid, domains: dict[str, bool], confirmed: list[str], result: str, word: str
) -> None:
    sendgrid.account.domains = domains
    found = told(doctor(), "senders")
    assert found[0] == result
    assert word in found[1]


def test_senders_that_are_only_confirmed_by_mail_are_a_warning(doctor: Doctor, sendgrid: FakeSendGrid) -> None:
    import tomllib

    senders = tomllib.loads(Path("ours/mlgroup.toml").read_text(encoding="utf-8"))["sender"]
    sendgrid.account.domains = {}
    sendgrid.account.senders = {each["address"]: True for each in senders.values()}
    result, words = told(doctor(), "senders")
    assert result == "warn"
    assert "@" not in words
    sendgrid.account.senders = {each["address"]: False for each in senders.values()}
    assert told(doctor(), "senders")[0] == "fail"


def test_whom_sendgrid_stops_is_counted_and_not_named(doctor: Doctor, sendgrid: FakeSendGrid) -> None:
    for number in range(501):
        sendgrid.account.suppressions.add("bounces", f"p{number}@office.example")
    sendgrid.account.suppressions.add("spam_reports", "cross@office.example")
    result, words = told(doctor(), "lists")
    assert result == "pass"
    assert "500 or more bounced, 1 complained" in words
    assert "@" not in words


def test_the_sandbox_is_pointed_out(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_SENDGRID_SANDBOX", "true")
    result, words = told(doctor(), "key")
    assert (result, "nobody gets mail" in words) == ("warn", True)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(trouble=Trouble.ANSWERS, status=200, body="<html>", path=SETTINGS),
        Fault(trouble=Trouble.ANSWERS, status=200, body="[]", path=SETTINGS),
        Fault(trouble=Trouble.ANSWERS, status=200, body='{"enabled"', path=SETTINGS),
        Fault(trouble=Trouble.ANSWERS, status=500, path=SETTINGS),
        Fault(trouble=Trouble.ANSWERS, status=302, headers={"Location": "/v3/scopes"}, path=SETTINGS),
        Fault(trouble=Trouble.RESETS_AFTER, path=SETTINGS),
        Fault(trouble=Trouble.CUTS_STATUS, path=SETTINGS),
    ],
)
def test_answers_that_are_none_fail_one_check_and_no_other(
    doctor: Doctor, sendgrid: FakeSendGrid, fault: Fault
) -> None:
    sendgrid.faults.add(fault)
    found = doctor()
    assert told(found, "tracking")[0] == "fail"
    assert told(found, "lists")[0] == "pass"


def test_an_account_that_nobody_answers_for(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_SENDGRID_URL", "http://127.0.0.1:1")
    found = doctor()
    assert (found.code, transport(found)) == (1, "fail")
    assert sendgrid_checks(found) == [], "that is told once"
    assert "mlgroup-mail doctor" not in found.out, "whoever reads this has asked it"


def test_the_records_that_sendgrid_waits_for_are_named(doctor: Doctor, sendgrid: FakeSendGrid) -> None:
    sendgrid.account.domains = {"example.org": False, "other.example": False}
    result, words = told(doctor(), "senders")
    assert result == "fail"
    assert [line.split()[:2] for line in words.splitlines()[1:]] == [
        ["CNAME", "em1.example.org"],
        ["CNAME", "s1._domainkey.example.org"],
        ["CNAME", "s2._domainkey.example.org"],
    ]


def letter(run: Run, *options: str) -> Result:
    return run("--project", "ours", "doctor", "--for-it", *options)


def test_the_letter_to_the_it_department_asks_for_what_sendgrid_needs(
    doctor: Doctor, run: Run, sendgrid: FakeSendGrid
) -> None:
    found = letter(run)
    assert found.code == 0
    for words in ("SendGrid over HTTPS", sendgrid.url, "5 MB", "DMARC", "Twilio", "opt-out"):
        assert words in found.out
    for words in ("relay", "by SMTP", "STARTTLS"):
        assert words not in found.out
    assert "DNS records" not in found.out, "SendGrid has found them all"
    assert max(map(len, found.out.splitlines())) <= 78


def test_the_letter_has_the_records_that_sendgrid_waits_for(doctor: Doctor, run: Run, sendgrid: FakeSendGrid) -> None:
    sendgrid.account.domains = {"example.org": False}
    assert "\n   CNAME s1._domainkey.example.org s1._domainkey.u1.sender.example\n" in letter(run).out
    (request,) = [each for each in letter(run, "--json").json["requests"] if each["title"] == "DNS records"]
    assert len(request["lines"]) == 3


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda account: account.domains.clear(), ""),
        (lambda account: account.scopes.remove("whitelabel.read"), "may not read Sender Authentication"),
        (lambda account: setattr(account, "key", "SG.another"), "the key is wrong"),
    ],
    ids=["no domain yet", "no right", "wrong key"],
)
def test_where_sendgrid_does_not_tell_its_records_the_letter_says_what_will_come(
    doctor: Doctor, run: Run, sendgrid: FakeSendGrid, spoil: Callable[[Account], object], words: str
) -> None:
    spoil(sendgrid.account)
    found = letter(run)
    assert (found.code, "Three CNAME records for example.org" in found.out) == (0, True)
    assert words in found.err
    assert bool(words) == bool(found.err)


def test_without_a_key_the_letter_is_written_too(
    doctor: Doctor, run: Run, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLGROUP_SENDGRID_API_KEY")
    found = letter(run)
    assert (found.code, "Three CNAME records" in found.out, found.err) == (0, True, "")
