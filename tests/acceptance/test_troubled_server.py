"""A mail server in trouble: what a person reads, what became of whom, and that nobody is lost or written to twice."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person, through
from tests.cli.conftest import Result, Run
from tests.servers.entra import CLIENT_ID, SECRET, TENANT, Entra
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


def told_after_what_went(result: Result, words: str) -> None:
    """The table of what went comes first; where nothing went there is none (`told`)."""
    assert result.json["counts"]["accepted"] == 3
    assert result.err.index("ended halfway") < result.err.index(words)


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


def paused(run: Run, *words: str) -> None:
    """The mailing has paused by itself, and `status` says why and how to go on."""
    status = run("status", LETTER, "--json").json
    assert status["state"] == "paused"
    for word in ("paused by itself", f"`resume {LETTER}`", *words):
        assert word in " ".join(status["remarks"])
    again = run(*SEND)
    assert again.code == 1
    assert again.json["state"] == "paused", "it goes on when somebody says so"


def goes_on(run: Run, server: FaultySmtp) -> None:
    """Whoever was in the window that met it has lost nothing: after `resume` everybody gets it, once."""
    server.mend()
    assert run("resume", LETTER, "--reason", "mended").code == 0
    result = run(*SEND)
    assert (result.code, result.json["state"]) == (0, "finished")
    assert got(server) == Counter({person(number): 1 for number in range(1, 7)})
    assert run("verify").code == 0


def test_a_server_that_wants_nothing_of_us(run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp) -> None:
    faulty_smtp.on(Phase.GREETING, "554 5.7.1 Go away")
    use(through(faulty_smtp))
    result = run(*SEND)
    assert result.code == 2, "somebody has to change something"
    told(result, "does not let us in: 554 5.7.1 Go away", "Ask whoever runs it", f"mlgroup-mail resume {LETTER}")
    nothing_was_tried(run)
    paused(run, "554 5.7.1 Go away")
    goes_on(run, faulty_smtp)


def test_a_login_that_is_refused_pauses_the_mailing_before_anybody_is_tried(
    run: Run, use: Settings, letter: Path, start_faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = start_faulty_smtp(login=("group", "right-password"))
    use(through(server, smtp_user="group", smtp_password="wrong-password"))
    result = run(*SEND)
    assert result.code == 2
    told(result, "refuses the login: 535", "MLGROUP_SMTP_PASSWORD", f"mlgroup-mail resume {LETTER}")
    assert "wrong-password" not in result.err
    nothing_was_tried(run)
    paused(run, "refuses the login: 535")
    logins = server.commands.count("AUTH")
    assert run("dispatch", "--live").code == 1
    assert server.commands.count("AUTH") == logins, "an account that is tried again and again is locked"
    use(through(server, smtp_user="group", smtp_password="right-password"))
    goes_on(run, server)


def test_a_password_that_runs_out_in_the_middle_pauses_the_rest(
    run: Run, use: Settings, letter: Path, start_faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = start_faulty_smtp(login=("group", "right-password"))
    server.on(Phase.MAIL, "421 4.7.0 log in again", close=True, after=3, times=1)
    server.on(Phase.AUTH, "535 5.7.8 password has run out", after=1)
    use(through(server, smtp_user="group", smtp_password="right-password"))
    result = run(*SEND)
    assert result.code == 2
    told_after_what_went(result, "refuses the login: 535 5.7.8")
    assert Counter(states(run).values()) == {"accepted": 3, "deferred": 1, "planned": 2}
    goes_on(run, server)


@pytest.mark.parametrize(
    ("phase", "reply", "mend"),
    [
        (Phase.MAIL, "550 5.7.1 Sender <newsletter@example.org> rejected", "mlgroup.toml"),
        (Phase.MAIL, "530 5.7.57 Client not authenticated to send mail", "It wants a login"),
        (Phase.RCPT, "550 5.7.708 Access denied, traffic not accepted from this IP", "Only who runs it can lift that"),
        (Phase.DATA, "550 5.7.60 SendAsDenied", "Send As"),
        (Phase.DOT, "550 5.7.515 Access denied, sending domain does not meet the level", "SPF, DKIM and DMARC"),
        (Phase.DOT, "552 5.3.4 Message too large", "make its pictures smaller"),
    ],
    ids=["sender", "login", "blocked", "send-as", "domain", "size"],
)
def test_what_is_about_us_is_asked_once_pauses_the_mailing_and_marks_nobody(
    run: Run, use: Settings, letter: Path, faulty_smtp: FaultySmtp, phase: Phase, reply: str, mend: str
) -> None:
    faulty_smtp.on(phase, reply)
    use(through(faulty_smtp))
    result = run(*SEND)
    assert result.code == 2
    told(result, "takes nothing from this sender", reply[:9], mend, f"mlgroup-mail resume {LETTER}")
    assert "newsletter@example.org" not in result.err
    assert Counter(states(run).values()) == {"planned": 4, "deferred": 2}
    assert sum(line.startswith("MAIL") for line in faulty_smtp.commands) == 1
    paused(run, reply[:9], mend)
    faulty_smtp.taken.clear()  # Where the answer came after the final dot it had seen one.
    goes_on(run, faulty_smtp)


def test_a_client_secret_that_runs_out_pauses_the_mailing_until_there_is_a_new_one(
    run: Run,
    use: Settings,
    letter: Path,
    start_faulty_smtp: Callable[..., FaultySmtp],
    certificate: Path,
    entra: Entra,
) -> None:
    mailbox = "group@example.org"
    server = start_faulty_smtp(tls="starttls", certificate=certificate, tokens={mailbox: "token-1-not-to-be-shown"})
    settings = through(
        server,
        smtp_tls="starttls",
        smtp_ca_file=certificate,
        smtp_user=mailbox,
        smtp_oauth_tenant=TENANT,
        smtp_oauth_client_id=CLIENT_ID,
        smtp_oauth_client_secret=SECRET,
        smtp_oauth_authority=entra.url,
        smtp_connections=3,
    )
    use(settings)
    entra.refusal = "AADSTS7000222"
    result = run(*SEND)
    assert result.code == 2
    told(result, "client secret has run out (AADSTS7000222)", "MLGROUP_SMTP_OAUTH_CLIENT_SECRET")
    nothing_was_tried(run)
    paused(run, "client secret has run out")
    entra.refusal = None
    goes_on(run, server)
    for secret in (SECRET, *entra.tokens):
        assert secret not in result.err + run("status", "--json").out


def test_several_connections_write_to_everybody_once(
    run: Run, use: Settings, letter: Path, start_faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = start_faulty_smtp(most_connections=2, messages_each=1)
    use(through(server, smtp_connections=3, batch_size=6))
    result = run(*SEND)
    assert (result.code, result.json["state"]) == (0, "finished")
    assert got(server) == Counter({person(number): 1 for number in range(1, 7)})
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
    told_after_what_went(result, "421 4.3.2")
    assert Counter(states(run).values()) == {"accepted": 3, "deferred": 1, "planned": 2}
    faulty_smtp.mend()
    again = run(*SEND)
    assert again.json["counts"]["accepted"] == 6, "who was not begun with loses no turn"
    assert max(got(faulty_smtp).values()) == 1
    assert run("verify").code == 0
