"""Limits as a person meets them: how long it takes, batches that follow each other, a mailing that pauses itself."""

import json
from collections import Counter
from pathlib import Path

import pytest

from mlgroup_mail.cli.context import opened
from mlgroup_mail.model import MailingRef
from mlgroup_mail.reporting.status import status_of
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, small_project, through
from tests.cli.conftest import Run
from tests.servers.faults import Phase
from tests.servers.faulty_smtp import FaultySmtp

SEND = ("send", LETTER, "--live", "--json")
BEFORE = "2021-11-02T08:00:00+00:00"
MAIL_SERVER = {"MLGROUP_TRANSPORT": "smtp", "MLGROUP_SMTP_HOST": "127.0.0.1"}


def states(run: Run) -> Counter[str]:
    return Counter(json.loads(line)["state"] for line in run("log", LETTER, "--json").out.splitlines())


@pytest.fixture
def crowd(tmp_path: Path, run: Run, use: Settings) -> Path:
    """Forty people, and their letter approved."""
    root = small_project(tmp_path / "crowd", people=40)
    use({"MLGROUP_PROJECT": str(root)})
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    return root


@pytest.mark.parametrize(
    ("settings", "seconds", "words"),
    [
        ({"MLGROUP_SMTP_PER_MINUTE": "4"}, 600, "takes about 10 minutes at 4 a minute"),
        ({"MLGROUP_SMTP_PROFILE": "exchange-online"}, 83, "takes about a minute at 29 a minute, 10,000 in 24 hours"),
        ({"MLGROUP_SMTP_PER_DAY": "15"}, 2 * 86_400, "takes about 2 days at 15 in 24 hours"),
        ({"MLGROUP_DOMAIN_PER_MINUTE": "1"}, 2400, "takes about 40 minutes at 1 a minute to each receiving domain"),
    ],
)
def test_a_dry_run_and_a_plan_say_how_long_it_takes(
    crowd: Path, run: Run, use: Settings, settings: dict[str, str], seconds: int, words: str
) -> None:
    use(MAIL_SERVER | settings)
    dry = run("send", LETTER, "--json").json
    assert dry["expected_seconds"] == seconds
    assert words in dry["remarks"]
    planned = run("plan", LETTER, "--json").json
    assert planned["expected_seconds"] == seconds
    assert words in run("plan", LETTER).text


def test_into_the_outbox_it_takes_no_time_and_nothing_is_said_of_it(crowd: Path, run: Run, use: Settings) -> None:
    use({"MLGROUP_SMTP_PER_MINUTE": "1"})
    assert run("plan", LETTER, "--json").json["expected_seconds"] == 0
    assert "takes about" not in run("plan", LETTER).text


def test_a_warning_where_it_will_not_be_through_before_its_stop_at(crowd: Path, run: Run, use: Settings) -> None:
    campaign = crowd / "campaigns" / "letter" / "campaign.md"
    text = campaign.read_text(encoding="utf-8")
    times = 'send_at = "2090-11-02 09:00 UTC"\nstop_at = "2090-11-02 09:30 UTC"'
    campaign.write_text(text.replace('send_at = "2021-11-02 09:00 Europe/London"', times), encoding="utf-8")
    assert run("approve", LETTER, "--by", "the editor").code == 0
    use(MAIL_SERVER | {"MLGROUP_SMTP_PER_MINUTE": "1"})
    told = run("send", LETTER).text
    assert "it will not be through before its stop_at: that is 2090-11-02 09:30 UTC, and it takes until about" in told
    use({"MLGROUP_SMTP_PER_MINUTE": "2"})
    assert "will not be through" not in run("send", LETTER).text


def test_batches_follow_each_other_at_the_spacing_that_is_set(crowd: Path, run: Run, use: Settings) -> None:
    use({"MLGROUP_BATCH_SIZE": "15", "MLGROUP_BATCH_SPACING": "10", "MLGROUP_NOW": BEFORE})
    assert run("plan", LETTER, "--json").json["expected_seconds"] == 1200, "the third batch"
    seen = []
    for minute in ("00", "09", "10", "20"):
        use({"MLGROUP_NOW": f"2021-11-02T09:{minute}:00+00:00"})
        run(*SEND)
        seen.append(states(run)["accepted"])
    assert seen == [15, 15, 30, 40]


def test_who_could_go_by_now_and_has_not_is_left_undone(crowd: Path, run: Run, use: Settings) -> None:
    """For the exit code: a batch whose time is still to come is not, one whose time has come is."""
    use({"MLGROUP_BATCH_SIZE": "15", "MLGROUP_BATCH_SPACING": "10", "MLGROUP_NOW": BEFORE})
    run("plan", LETTER)
    use({"MLGROUP_NOW": "2021-11-02T09:00:00+00:00"})
    assert run(*SEND).code == 0, "the first batch has gone, the second is not due"
    for minute, undone in (("09", False), ("10", True)):
        use({"MLGROUP_NOW": f"2021-11-02T09:{minute}:00+00:00"})
        with opened() as app:
            assert status_of(app, MailingRef.parse(LETTER)).left_undone is undone


def test_too_many_refusals_pause_it_and_resume_goes_on(
    crowd: Path, run: Run, use: Settings, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.RCPT, "550 5.1.1 no such user here")
    use(through(faulty_smtp))
    stopped = run(*SEND, "--late", "trial")
    assert stopped.code == 1
    assert stopped.json["state"] == "paused"
    assert states(run) == {"refused": 20, "planned": 20}
    told = run("status", LETTER).text
    assert "paused by itself: 20 of the last 20 answers were refusals or failures. The latest: 550 5.1.1" in told
    assert f"`resume {LETTER}` lets it go on" in told
    assert run("dispatch", "--live").code == 1
    assert states(run)["planned"] == 20
    faulty_smtp.mend()
    assert run("resume", LETTER, "--reason", "the list is mended").code == 0
    assert run(*SEND).json["counts"]["accepted"] == 20
    assert run("verify").code == 0


def test_the_number_of_failures_is_a_setting(crowd: Path, run: Run, use: Settings, faulty_smtp: FaultySmtp) -> None:
    faulty_smtp.on(Phase.RCPT, "550 5.1.1 no such user here")
    use(through(faulty_smtp, pause_after=6, pause_percent=100))
    assert run(*SEND, "--late", "trial").json["state"] == "finished", "100 % is never exceeded"
    assert states(run) == {"refused": 40}


def test_one_refused_recipient_leaves_the_rest_untouched(
    crowd: Path, run: Run, use: Settings, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.RCPT, "550 5.1.1 no such user here", times=1)
    use(through(faulty_smtp))
    run(*SEND, "--late", "trial")
    assert states(run) == {"refused": 1, "accepted": 39}


def test_a_domain_that_puts_off_is_asked_once_and_the_others_get_their_mail(
    crowd: Path, run: Run, use: Settings, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.RCPT, "450 4.7.1 greylisted, try again later")
    use(through(faulty_smtp))
    run(*SEND, "--late", "trial")
    assert states(run) == {"deferred": 2, "planned": 38}, "one window"


@pytest.mark.parametrize("table", ['"no domain" = 3', '"office.example" = 0', '"office.example" = "few"'])
def test_a_rate_that_cannot_be_meant_is_told(crowd: Path, run: Run, table: str) -> None:
    with (crowd / "mlgroup.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[rates]\n{table}\n")
    result = run("status")
    assert result.code == 2
    assert "mlgroup.toml" in result.err
    assert "rates" in result.err


def test_a_receiving_domain_s_rate_stands_in_the_project_s_file(crowd: Path, run: Run, use: Settings) -> None:
    with (crowd / "mlgroup.toml").open("a", encoding="utf-8") as file:
        file.write('\n[rates]\n"OFFICE.example" = 4\n')
    use(MAIL_SERVER)
    assert run("send", LETTER, "--json").json["expected_seconds"] == 600
