"""Sending through SendGrid, by the command line: who got what, what a person reads when it goes wrong.

The service is the fake one; its truth log says who was accepted, and what each of them reads.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlgroup_mail.testing.sendgrid import FakeSendGrid, Fault, Trouble, fake_sendgrid
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Result, Run

SEND = ("send", LETTER, "--live", "--late", "trial", "--json")
EVERYBODY = Counter({person(number): 1 for number in range(1, 7)})


@pytest.fixture
def sendgrid(use: Settings) -> Iterator[FakeSendGrid]:
    with fake_sendgrid(keep_content=True) as fake:
        use(settings_of(fake))
        yield fake


def settings_of(fake: FakeSendGrid, **more: object) -> dict[str, str]:
    values = {"transport": "sendgrid", "sendgrid_url": fake.url, "sendgrid_api_key": fake.key, **more}
    return {f"MLGROUP_{name.upper()}": str(value) for name, value in values.items()}


def got(fake: FakeSendGrid) -> Counter[str]:
    return Counter(each.address for each in fake.accepted)


def states(run: Run) -> dict[str, str]:
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    return {line["address"]: line["state"] for line in lines}


def silent_about(fake: FakeSendGrid, result: Result) -> None:
    """Nothing that was printed holds the key or an address in full."""
    assert fake.key not in result.out + result.err
    assert person(1) not in result.out + result.err


def test_everybody_gets_their_own_letter_in_one_request(run: Run, letter: Path, sendgrid: FakeSendGrid) -> None:
    result = run(*SEND)
    assert (result.code, result.json["state"]) == (0, "finished")
    silent_about(sendgrid, result)
    assert got(sendgrid) == EVERYBODY
    assert len(sendgrid.requests) == 1
    for number, taken in enumerate(sendgrid.accepted, 1):
        assert taken.subject == "News"
        assert all(f"Dear Person Number{number}, there is news" in part for part in taken.parts.values())
        assert taken.headers["List-Id"].startswith("<newsletter.")
        assert taken.headers["List-Unsubscribe"].startswith("<mailto:")
        assert taken.custom_args["delivery"] == taken.message_id[1:].partition("@")[0]
        assert taken.custom_args["delivery"].startswith(f"{number}.")
    links = {taken.headers["List-Unsubscribe"] for taken in sendgrid.accepted}
    assert len(links) == 6
    log = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    assert {line["message_id"] for line in log} == {taken.message_id for taken in sendgrid.accepted}
    assert run("verify").code == 0


def test_a_test_mail_goes_over_sendgrid_too(run: Run, letter: Path, sendgrid: FakeSendGrid) -> None:
    result = run("test-send", LETTER, "--to", "editor@example.org")
    assert result.code == 0
    (taken,) = sendgrid.accepted
    assert (taken.address, taken.subject) == ("editor@example.org", "[Test] News")
    assert taken.custom_args["delivery"].startswith("test.")
    assert "there is news" in taken.parts["text/html"]


def test_a_test_that_sendgrid_does_not_take_says_what_to_do(
    run: Run, letter: Path, sendgrid: FakeSendGrid, use: Settings
) -> None:
    test = ("test-send", LETTER, "--to", "editor@example.org")
    sendgrid.faults.add(Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "1"}))
    busy = run(*test)
    assert (busy.code, "not sent: 429" in busy.text, "not tried again by itself" in busy.text) == (1, True, True)
    use(settings_of(sendgrid, sendgrid_api_key="SG.wrong.key"))
    wrong = run(*test)
    assert (wrong.code, "check MLGROUP_SENDGRID_API_KEY" in wrong.text, "deferred" in wrong.text) == (2, True, False)
    use(settings_of(sendgrid))
    assert run(*test).code == 0


def test_a_bad_address_is_found_by_halving_and_all_others_are_written_to(
    run: Run, letter: Path, sendgrid: FakeSendGrid
) -> None:
    sendgrid.refuses.add(person(4))
    result = run(*SEND)
    assert (result.code, result.json["state"]) == (0, "finished")
    assert got(sendgrid) == EVERYBODY - Counter([person(4)])
    assert states(run)[person(4)] == "refused"
    assert run("verify").code == 0
    reasons = [line["reason"] for line in map(json.loads, run("log", LETTER, "--json").out.splitlines())]
    assert "400 personalizations.0.to.0.email: Does not contain a valid address." in reasons


def test_a_wrong_key_pauses_the_mailing_and_marks_nobody(
    run: Run, letter: Path, sendgrid: FakeSendGrid, use: Settings
) -> None:
    use(settings_of(sendgrid, sendgrid_api_key="SG.wrong.key"))
    result = run(*SEND)
    assert result.code == 2
    assert "takes nothing from this sender: 401" in " ".join(result.err.split())
    assert "MLGROUP_SENDGRID_API_KEY" in result.err
    assert f"mlgroup-mail resume {LETTER}" in result.err
    assert "SG.wrong.key" not in result.err
    assert "refused" not in states(run).values()
    requests = len(sendgrid.requests)
    assert run("dispatch", "--live").code == 1
    assert len(sendgrid.requests) == requests
    use(settings_of(sendgrid))
    assert run("resume", LETTER, "--reason", "mended").code == 0
    assert run(*SEND).json["state"] == "finished"
    assert got(sendgrid) == EVERYBODY
    assert run("verify").code == 0


def test_no_answer_leaves_everybody_of_the_request_uncertain_and_nobody_twice(
    run: Run, letter: Path, sendgrid: FakeSendGrid
) -> None:
    sendgrid.faults.add(Fault(trouble=Trouble.RESETS_AFTER, taken=True))
    assert run(*SEND).code == 1
    assert set(states(run).values()) == {"uncertain"}
    assert run(*SEND).code == 1
    assert got(sendgrid) == EVERYBODY
    assert run("verify").code == 0


def test_nothing_was_sent_is_said_only_where_it_is_so(
    run: Run, letter: Path, sendgrid: FakeSendGrid, use: Settings
) -> None:
    """Whoever reads it in vain sends the letter by another way."""
    live = SEND[: SEND.index("--json")]
    none_due = "there was nothing due"
    use(settings_of(sendgrid, sendgrid_api_key="SG.wrong.key"))
    run(*live)
    use(settings_of(sendgrid))
    paused = run(*live)
    assert paused.code == 1
    assert none_due not in paused.out
    assert "Nothing was sent now" in paused.out
    assert "were deferred: surely not accepted" in " ".join(paused.out.split()), "it is no dispatch that goes on"
    sendgrid.faults.add(Fault(trouble=Trouble.RESETS_AFTER, taken=True))
    assert run("resume", LETTER, "--reason", "mended").code == 0
    in_doubt = run(*live)
    assert in_doubt.code == 1
    assert "None was accepted now" in in_doubt.out, "and something was handed over"
    assert none_due not in run(*live).out
    assert run("resolve", LETTER, "--accepted", "--reason", "they have it").code == 0
    assert none_due in run(*live).out


def test_too_many_requests_are_waited_out_for_as_long_as_sendgrid_says(
    run: Run, letter: Path, sendgrid: FakeSendGrid
) -> None:
    sendgrid.faults.add(Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "2"}))
    begun = time.monotonic()
    sent = run(*SEND)
    assert (sent.code, sent.json["state"]) == (0, "finished")
    assert time.monotonic() - begun > 1.5, "not asked again before the time"
    assert [note.status for note in sendgrid.requests] == [429, 202]
    assert got(sendgrid) == EVERYBODY
    assert run("verify").code == 0


def test_one_answer_for_many_people_pauses_nothing(run: Run, letter: Path, sendgrid: FakeSendGrid) -> None:
    """“Too many requests” about a request of forty is one answer, and nobody's failure."""
    everybody = [person(number) for number in range(1, 41)]
    write_list(letter, [(each, f"Person {number}", "newsletter") for number, each in enumerate(everybody)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    sendgrid.faults.add(Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "1"}))
    sent = run(*SEND)
    assert (sent.code, sent.json["state"]) == (0, "finished")
    assert got(sendgrid) == Counter(everybody)
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    assert {line["attempts"] for line in lines} == {1}


def test_what_sendgrid_puts_off_for_long_is_left_to_a_later_dispatch(
    run: Run, letter: Path, sendgrid: FakeSendGrid
) -> None:
    sendgrid.faults.add(Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "600"}))
    sent = run(*SEND)
    assert (sent.code, sent.json["state"]) == (1, "sending")
    assert len(sendgrid.requests) == 1
    assert run(*SEND).json["counts"]["deferred"] == sum(EVERYBODY.values())
    assert len(sendgrid.requests) == 1, "not asked again before the time"


def test_who_names_a_moment_again_and_again_is_left_to_a_later_dispatch(
    run: Run, letter: Path, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlgroup_mail.delivery.dispatch.PATIENCE_SECONDS", 2.5)
    sendgrid.faults.add(Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "1"}, times=20))
    assert run(*SEND).code == 1
    assert len(sendgrid.requests) == 3


def test_who_reads_another_variant_gets_a_request_of_its_own(run: Run, letter: Path, sendgrid: FakeSendGrid) -> None:
    text = letter / "campaigns" / "letter" / "campaign.md"
    text.write_text(text.read_text() + "\n{% if 'calls' in recipient.topics %}For callers.{% endif %}\n")
    topics = {0: "newsletter", 1: "newsletter;calls"}
    write_list(letter, [(person(number), f"Person {number}", topics[number % 2]) for number in range(1, 7)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    assert run(*SEND).code == 0
    assert got(sendgrid) == EVERYBODY
    assert len(sendgrid.requests) == 2
    for taken in sendgrid.accepted:
        odd = taken.address in {person(number) for number in (1, 3, 5)}
        assert all(("For callers." in part) == odd for part in taken.parts.values())


def test_rates_hold_here_too(run: Run, letter: Path, sendgrid: FakeSendGrid, use: Settings) -> None:
    use(settings_of(sendgrid, sendgrid_per_day=4))
    assert run(*SEND).json["counts"]["planned"] == 2
    assert sum(got(sendgrid).values()) == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sendgrid_api_key": ""}, ("MLGROUP_SENDGRID_API_KEY", "no key")),
        ({"sendgrid_api_key": "SG. two words"}, ("MLGROUP_SENDGRID_API_KEY", "one word")),
        ({"sendgrid_url": "http://api.example.org"}, ("MLGROUP_SENDGRID_URL", "in the open")),
        ({"sendgrid_url": "api.example.org"}, ("MLGROUP_SENDGRID_URL", "https://api.eu.sendgrid.com")),
        ({"sendgrid_url": "https://api.example.org/v3"}, ("MLGROUP_SENDGRID_URL",)),
        ({"sendgrid_url": "https://api.example.org", "sendgrid_ca_file": "none.pem"}, ("MLGROUP_SENDGRID_CA_FILE",)),
    ],
)
def test_settings_that_cannot_work_are_told_before_anything_goes(
    run: Run, letter: Path, sendgrid: FakeSendGrid, use: Settings, settings: dict[str, str], words: tuple[str, ...]
) -> None:
    use(settings_of(sendgrid, **settings))
    result = run(*SEND)
    assert result.code == 2
    for word in words:
        assert word in result.text
    assert "two words" not in result.text.replace("SG. and two parts", "")
    assert not sendgrid.requests


def test_the_key_may_lie_in_a_file(
    run: Run, letter: Path, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    (letter / "key").write_text(f"{sendgrid.key}\n", encoding="utf-8")
    monkeypatch.delenv("MLGROUP_SENDGRID_API_KEY")
    monkeypatch.setenv("MLGROUP_SENDGRID_API_KEY_FILE", str(letter / "key"))
    assert run(*SEND).code == 0
    assert got(sendgrid) == EVERYBODY
