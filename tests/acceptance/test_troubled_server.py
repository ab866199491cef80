"""A mail server in trouble: what a person reads, what became of whom, and that nobody is lost or written to twice."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person, through
from tests.cli.conftest import Result, Run
from tests.servers.faults import Phase
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.processes import free_port

SEND = ("send", LETTER, "--live", "--late", "trial", "--json")


def got(server: FaultySmtp) -> Counter[str]:
    """Who was sent how many messages up to their last byte, whatever the server answered."""
    return Counter(address for taken in server.taken for address in taken.recipients)


def states(run: Run) -> dict[str, str]:
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    return {line["address"]: line["state"] for line in lines}


def told(result: Result, *words: str) -> None:
    assert result.out == ""
    for word in words:
        assert word in result.err
    assert "Traceback" not in result.err


def nothing_was_tried(run: Run) -> None:
    assert set(states(run).values()) == {"planned"}
    assert run("verify").code == 0


def test_a_server_that_refuses_the_connection(run: Run, use: Settings, letter: Path) -> None:
    port = free_port()
    use({"MLGROUP_TRANSPORT": "smtp", "MLGROUP_SMTP_HOST": "127.0.0.1", "MLGROUP_SMTP_PORT": str(port)})
    result = run(*SEND)
    assert result.code == 1, "trying again later may help"
    told(result, f"127.0.0.1:{port}", "cannot be reached", "doctor")
    nothing_was_tried(run)


def test_a_server_that_says_nothing(run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp) -> None:
    faulty_smtp.on(Phase.GREETING, stall=True)
    use(through(faulty_smtp, smtp_timeout=0.3))
    result = run(*SEND)
    assert result.code == 1
    told(result, "did not answer within 0.3 s", "Try again later")
    nothing_was_tried(run)


def test_a_server_that_wants_a_login_or_nothing_of_us(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.GREETING, "554 5.7.1 Go away")
    use(through(faulty_smtp))
    result = run(*SEND)
    assert result.code == 2, "somebody has to change something"
    told(result, "does not let us in: 554 5.7.1 Go away", "Ask whoever runs it")
    nothing_was_tried(run)


def test_a_server_that_refuses_the_sender_is_asked_once_and_nobody_is_to_blame(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.MAIL, "550 5.7.1 Sender <newsletter@example.org> rejected")
    use(through(faulty_smtp))
    result = run(*SEND)
    assert result.code == 2
    told(result, "takes nothing from this sender", "mlgroup.toml")
    assert "newsletter@example.org" not in result.err
    assert Counter(states(run).values()) == {"planned": 4, "deferred": 2}
    assert got(faulty_smtp) == {}
    faulty_smtp.mend()
    assert run("verify").code == 0


def test_a_recipient_who_is_refused_does_not_keep_the_others_from_their_mail(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.RCPT, f"550 5.1.1 <{person(3)}> unknown", to=person(3))
    use(through(faulty_smtp))
    result = run(*SEND)
    assert (result.code, result.json["state"]) == (0, "finished"), "a refusal is an answer: nothing is left to do"
    assert result.json["counts"]["refused"] == 1
    assert got(faulty_smtp) == Counter({person(number): 1 for number in (1, 2, 4, 5, 6)})
    line = next(line for line in run("log", LETTER, "--json").out.splitlines() if '"refused"' in line)
    assert json.loads(line)["address"] == person(3)
    assert "550 5.1.1" in json.loads(line)["reason"]
    assert "(at RCPT)" in json.loads(line)["reason"]
    assert run("explain", person(3)).text.count("550 5.1.1") == 1
    assert run(*SEND).code == 0
    assert person(3) not in got(faulty_smtp)


def test_a_recipient_who_is_put_off_is_left_for_a_later_dispatch(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.RCPT, "450 4.2.1 Try again", to=person(3), times=1)
    use(through(faulty_smtp))
    result = run(*SEND)
    assert (result.code, result.json["state"]) == (1, "sending")
    assert result.json["counts"]["deferred"] == 1
    again = run(*SEND)
    assert (again.code, again.json["counts"]["deferred"]) == (1, 1), "not before its time"
    assert got(faulty_smtp) == Counter({person(number): 1 for number in (1, 2, 4, 5, 6)})


@pytest.mark.parametrize(
    "trouble",
    [
        lambda server: server.on(Phase.DOT, close=True, to=person(3), times=1),
        lambda server: server.on(Phase.DOT, stall=True, to=person(3), times=1),
        lambda server: server.on(Phase.DOT, b"2\xff\r\n", to=person(3), times=1),
    ],
    ids=["hangs up", "says nothing", "talks nonsense"],
)
def test_who_may_have_it_is_not_sent_to_again_until_a_person_decides(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp, trouble: Callable[[FaultySmtp], None]
) -> None:
    trouble(faulty_smtp)
    use(through(faulty_smtp, smtp_answer_timeout=1.5))
    for _ in range(2):
        result = run(*SEND)
        assert (result.code, result.json["counts"]["uncertain"]) == (1, 1)
        assert states(run)[person(3)] == "uncertain"
    assert got(faulty_smtp) == Counter({person(number): 1 for number in range(1, 7)})
    assert "resolve" in " ".join(result.json["remarks"])
    resend = run("resolve", LETTER, "--resend", "--reason", "they say it never came", "--address", person(3))
    assert resend.code == 0
    assert run(*SEND).json["state"] == "finished"
    assert got(faulty_smtp)[person(3)] == 2, "ordered by a person"
    assert run("verify").code == 0


def test_a_connection_that_breaks_before_the_message_ends_costs_nobody_a_second_copy(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.DATA, close=True, times=1)
    use(through(faulty_smtp))
    result = run(*SEND)
    assert (result.code, result.json["counts"]["deferred"], result.json["counts"]["accepted"]) == (1, 1, 5)
    assert max(got(faulty_smtp).values()) == 1
    assert run("verify").code == 0


def test_a_server_that_fails_in_the_middle_leaves_the_rest_planned(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.MAIL, "421 4.3.2 Shutting down", after=3)
    faulty_smtp.on(Phase.GREETING, "421 4.3.2 Shutting down", after=1)
    use(through(faulty_smtp))
    result = run(*SEND)
    assert result.code == 1
    told(result, "421 4.3.2")
    assert Counter(states(run).values()) == {"accepted": 3, "deferred": 1, "planned": 2}
    faulty_smtp.mend()
    again = run(*SEND)
    assert again.json["counts"]["accepted"] == 5
    assert max(got(faulty_smtp).values()) == 1
    assert run("verify").code == 0
