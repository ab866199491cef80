"""A live command that an error ends halfway shows what has gone, and then the error; its exit code is the error's."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import CAMPAIGN, LETTER, command, gated_smtp, person, small_project, through, write_list
from tests.cli.conftest import Run
from tests.servers.faults import Phase
from tests.servers.postgres import OWNER, PostgresServer
from tests.servers.smtp_sink import SmtpSink

SEND = ("send", LETTER, "--live", "--late", "trial")
SECOND = "second/issue"


@pytest.fixture
def two_letters(tmp_path: Path, run: Run) -> Path:
    """Two letters that are due, both planned: the one that was due first is to somebody elsewhere, too."""
    small_project(tmp_path)
    order(run, "contacts", "pull")
    write_letter(tmp_path, "letter", hours_ago=1)
    order(run, "approve", LETTER, "--by", "the editor")
    order(run, "plan", LETTER)
    people = [(person(number), f"Person Number{number}", "") for number in range(1, 7)]
    write_list(tmp_path, [*people, ("somebody@elsewhere.example", "Some Body", "")])
    order(run, "contacts", "pull")
    write_letter(tmp_path, "second", hours_ago=2)
    order(run, "approve", SECOND, "--by", "the editor")
    order(run, "plan", SECOND)
    return tmp_path


def write_letter(root: Path, campaign: str, *, hours_ago: int) -> None:
    send_at = datetime.now(UTC) - timedelta(hours=hours_ago)
    text = re.sub('send_at = ".*"', f'send_at = "{send_at:%Y-%m-%d %H:%M} UTC"', CAMPAIGN)
    (root / "campaigns" / campaign).mkdir(exist_ok=True)
    (root / "campaigns" / campaign / "campaign.md").write_text(text, encoding="utf-8")


def order(run: Run, *arguments: str) -> None:
    assert run(*arguments).code == 0, arguments


@pytest.mark.usefixtures("two_letters")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_mailing_that_the_set_up_forbids_keeps_no_other_from_its_turn(
    run: Run, use: Settings, smtp_sink: SmtpSink, as_json: bool
) -> None:
    """The one that was due first is to go to a domain that is not allowed; who runs the machine has to look: 2."""
    use(through(smtp_sink, allowed_domains="office.example"))
    arguments = ("dispatch", "--live", *(["--json"] if as_json else []))
    ended = run(*arguments)
    assert ended.code == 2
    assert f"hindered: {SECOND}: nothing of it is sent: 1 of those" in ended.err
    assert "MLGROUP_ENVIRONMENT=production" in ended.err
    assert set(smtp_sink.recipients().values()) == {1}
    assert len(smtp_sink.messages()) == 6
    if as_json:
        states = {each["mailing"]: (each["state"], each["counts"]["accepted"]) for each in ended.json["mailings"]}
        assert states == {LETTER: ("finished", 6), SECOND: ("planned", 0)}
        assert SECOND in ended.json["hindered"][0]
    else:
        assert LETTER in ended.out
    again = run(*arguments)
    assert again.code == 2, "it is told for as long as it is so"
    assert "MLGROUP_ENVIRONMENT=production" in again.err
    assert len(smtp_sink.messages()) == 6


def test_send_whose_database_is_lost_tells_how_many_had_gone_and_goes_on_when_it_is_back(
    letter: Path, run: Run, use: Settings, postgres_server: PostgresServer
) -> None:
    with postgres_server.fresh_database() as url, gated_smtp(Phase.RCPT, person(5)) as mail:
        settings = through(mail, connections=1) | {"MLGROUP_DATABASE_URL": url}
        use({"MLGROUP_DATABASE_URL": url})
        for arguments in (("db", "upgrade"), ("contacts", "pull"), ("approve", LETTER, "--by", "the editor")):
            order(run, *arguments)
        use(settings)
        with command(letter, *SEND, settings=settings) as sending:
            mail.wait_until_reached()
            answer(postgres_server, url, False)
            mail.open_gate()
            ended = sending.end()
        assert (ended.code, ended.out) == (2, "")
        assert re.search(r"[3-6] deliveries had an outcome by then", ended.err)
        assert "the database does not answer as it should" in ended.err
        assert "a fault of mlgroup-mail" not in ended.err
        assert "@office.example" not in ended.err
        answer(postgres_server, url, True)
        again = run(*SEND, "--json")
        assert again.code in (0, 1)
        assert again.json["counts"]["accepted"] >= 4
        got = Counter(address for taken in mail.taken for address in taken.recipients)
        assert max(got.values()) == 1


def answer(server: PostgresServer, url: str, whether: bool) -> None:
    """Let the database answer, or end every connection to it and take no new one."""
    name = make_url(url).database
    with psycopg.connect(
        host=server.host, port=server.port, user=OWNER, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {whether}".encode())
        if not whether:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            ).fetchall()
