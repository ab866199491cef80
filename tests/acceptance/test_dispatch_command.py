"""`dispatch`, the command that schedules call: it tells by its exit code when somebody has to look."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, text

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run

IN_TIME = {"MLGROUP_NOW": "2021-11-02T10:00:00Z"}


def order(letter: Path, sql: str) -> None:
    engine = create_engine(f"sqlite:///{letter / 'var' / 'mlgroup.db'}")
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()


def test_all_well_is_0(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    done = run("dispatch", "--live", "--json")
    assert (done.code, done.json["mailings"][0]["state"]) == (0, "finished")
    again = run("dispatch", "--live", "--json")
    assert (again.code, again.json) == (0, {"mailings": [], "hindered": [], "courtesies": 0})


def test_doubt_in_a_finished_mailing_is_told_until_somebody_settles_it(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    run("dispatch", "--live")
    order(letter, "UPDATE delivery SET state = 'uncertain' WHERE id = 1")
    order(letter, "UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id = 1")
    assert run("dispatch", "--live").code == 1
    assert run("resolve", LETTER, "--accepted", "--reason", "they have it").code == 0
    assert run("dispatch", "--live").code == 0


def test_a_paused_mailing_is_work_left_and_a_cancelled_one_is_not(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    run("plan", LETTER)
    run("pause", LETTER)
    assert run("dispatch", "--live").code == 1
    run("cancel", LETTER)
    assert run("dispatch", "--live").code == 0


def test_doubt_in_a_cancelled_mailing_is_told_until_somebody_settles_it(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    run("dispatch", "--live")
    order(letter, "UPDATE delivery SET state = 'uncertain' WHERE id = 1")
    order(letter, "UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id = 1")
    order(letter, "UPDATE mailing SET state = 'cancelled'")
    assert run("dispatch", "--live").code == 1
    assert "1 may or may not have been accepted" in run("status", LETTER).text
    assert run("resolve", LETTER, "--accepted", "--reason", "they have it").code == 0
    assert run("dispatch", "--live").code == 0


def test_a_mailing_past_its_end_is_work_left(run: Run, letter: Path) -> None:
    shown = run("dispatch", "--live", "--json")
    assert (shown.code, shown.json["mailings"]) == (1, [])


def test_a_mailing_that_is_hindered_does_not_hide_what_the_others_did(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    other = letter / "campaigns" / "other"
    other.mkdir()
    campaign = (letter / "campaigns" / "letter" / "campaign.md").read_text(encoding="utf-8")
    (other / "campaign.md").write_text(campaign, encoding="utf-8")
    assert run("approve", "other/issue", "--by", "the editor").code == 0
    (other / "campaign.md").write_text(campaign.replace("there is news", "there is other news"), encoding="utf-8")
    shown = run("dispatch", "--live", "--json")
    assert shown.code == 1
    assert [(each["mailing"], each["state"]) for each in shown.json["mailings"]] == [(LETTER, "finished")]
    assert "other/issue has changed since" in shown.json["hindered"][0]
    assert "hindered: other/issue has changed since" in " ".join(shown.err.split())


def test_a_campaign_whose_folder_is_gone_does_not_keep_the_others(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    shutil.copytree(letter / "campaigns" / "letter", letter / "campaigns" / "another")
    assert run("approve", "another/issue", "--by", "the editor").code == 0
    shutil.rmtree(letter / "campaigns" / "another")
    shown = run("dispatch", "--live", "--json")
    assert shown.code == 1
    assert [(each["mailing"], each["state"]) for each in shown.json["mailings"]] == [(LETTER, "finished")]
    assert "there is no campaign “another”" in shown.json["hindered"][0]
    assert "another/issue" in run("status").text, "what the ledger holds is shown, whatever the files say"


def test_nothing_of_a_cancelled_mailing_is_sent_again(run: Run, letter: Path, use: Settings) -> None:
    use(IN_TIME)
    run("dispatch", "--live")
    order(letter, "UPDATE delivery SET state = 'uncertain' WHERE id = 1")
    order(letter, "UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id = 1")
    order(letter, "UPDATE mailing SET state = 'cancelled'")
    refused = run("resolve", LETTER, "--resend", "--reason", "again")
    assert (refused.code, "is cancelled" in refused.text) == (1, True)


def test_a_resend_hours_later_goes_at_once_and_is_not_taken_for_an_outage(
    run: Run, letter: Path, use: Settings
) -> None:
    use(IN_TIME)
    run("dispatch", "--live")
    order(letter, "UPDATE delivery SET state = 'uncertain' WHERE id = 1")
    order(letter, "UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id = 1")
    use({"MLGROUP_NOW": "2021-11-02T15:00:00Z"})
    assert run("resolve", LETTER, "--resend", "--reason", "they have not got it").code == 0
    done = run("dispatch", "--live", "--json")
    assert (done.code, done.json["mailings"][0]["state"]) == (0, "finished")


@contextmanager
def asked() -> Iterator[list[str]]:
    """What is asked of any database meanwhile."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def test_a_tick_with_nothing_due_asks_the_same_however_many_mailings_are_over(
    run: Run, letter: Path, use: Settings
) -> None:
    """After years of newsletters the schedule's command is as quick as on the first day."""
    use(IN_TIME)
    assert run("dispatch", "--live").code == 0
    with asked() as with_one:
        assert run("dispatch", "--live").code == 0
    for state in ("finished", "cancelled"):
        for number in range(10):
            order(
                letter,
                "INSERT INTO mailing (campaign, name, topic, state, state_reason, send_at, stop_at, token, digest,"
                f" source, approved_by, approved_at, plan_cursor, audience, changed_at) SELECT '{state}',"
                f" 'number-{number}', topic, '{state}', '', send_at, stop_at, token, digest, source, approved_by,"
                " approved_at, 0, 0, changed_at FROM mailing WHERE id = 1",
            )
    with asked() as with_many:
        assert run("dispatch", "--live").code == 0
    assert len(with_one) > 10
    assert with_many == with_one
    assert not [each for each in with_one if "count(" in each and "delivery" in each]


def test_nor_does_it_count_what_waits_for_its_time(run: Run, letter: Path, use: Settings) -> None:
    """A million who are planned for next week are not counted every few minutes until then."""
    use({"MLGROUP_NOW": "2021-10-01T10:00:00Z"})
    assert run("plan", LETTER).code == 0
    with asked() as found:
        assert run("dispatch", "--live").code == 0
    assert not [each for each in found if "count(" in each and "delivery" in each]
    assert run("status", LETTER, "--json").json["state"] == "planned"
