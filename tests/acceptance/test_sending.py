"""A newsletter over SMTP: everybody once, nobody who opted out, whatever is done to it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import (
    ISSUE,
    LETTER,
    command,
    gated_smtp,
    newsletter_readers,
    person,
    through,
)
from tests.cli.conftest import Run
from tests.servers.faults import Phase
from tests.servers.smtp_sink import SmtpSink

SEND = ("send", ISSUE, "--live", "--late", "trial", "--json")
SEND_LETTER = ("send", LETTER, "--live", "--late", "trial", "--json")


def everybody_once(people: set[str]) -> Counter[str]:
    return Counter(dict.fromkeys(people, 1))


def as_keys(recipients: Counter[str]) -> Counter[str]:
    """Mailboxes: the case of an address is its owner's."""
    return Counter({address.lower(): number for address, number in recipients.items()})


def test_each_reader_gets_the_newsletter_once_though_it_is_sent_three_times(
    sample: Path, smtp_sink: SmtpSink, run: Run, use: Settings
) -> None:
    use(through(smtp_sink))
    for _ in range(3):
        with command(sample, *SEND, settings=through(smtp_sink)) as sending:
            ended = sending.end()
        assert (ended.code, ended.err) == (0, "")
        assert as_keys(smtp_sink.recipients()) == everybody_once(newsletter_readers(sample))
    status = json.loads(ended.out)
    assert status["state"] == "finished"
    assert status["counts"]["accepted"] == len(newsletter_readers(sample))
    assert run("verify", "--json").json["violations"] == []


def test_two_sends_started_together_share_the_work(sample: Path, smtp_sink: SmtpSink, run: Run, use: Settings) -> None:
    settings = through(smtp_sink)
    with command(sample, *SEND, settings=settings) as first, command(sample, *SEND, settings=settings) as second:
        codes = [first.end().code, second.end().code]
    assert codes == [0, 0]
    assert as_keys(smtp_sink.recipients()) == everybody_once(newsletter_readers(sample))
    use(settings)
    assert run("verify", "--json").code == 0


def test_whoever_opted_out_or_never_subscribed_is_listed_with_the_reason(sample: Path, run: Run) -> None:
    assert run(*SEND).code == 0
    lines = [json.loads(line) for line in run("log", ISSUE, "--json").out.splitlines()]
    excluded = {line["address"]: line["reason"] for line in lines if line["state"] == "excluded"}
    assert excluded == {
        "benoit.lefevre@stats.fr.example": "opted_out",
        "sho.nakamura@stats.jp.example": "opted_out_topic",
        "bram.kuiper@stats.nl.example": "not_subscribed",
    }


def test_an_opt_out_between_two_sends_is_respected(letter: Path, smtp_sink: SmtpSink, run: Run, use: Settings) -> None:
    use(through(smtp_sink))
    assert run("plan", LETTER).code == 0
    assert run("opt-out", "add", person(3), "--reason", "asked by phone").code == 0
    assert run(*SEND_LETTER).code == 0
    assert smtp_sink.recipients() == everybody_once({person(number) for number in (1, 2, 4, 5, 6)})
    assert run("verify").code == 0


def test_an_opt_out_while_mail_is_going_out_counts_from_the_next_window_on(
    letter: Path, run: Run, use: Settings
) -> None:
    with gated_smtp(Phase.DOT, person(2)) as server:
        settings = through(server)
        use(settings)
        with command(letter, *SEND_LETTER, settings=settings) as sending:
            server.wait_until_reached()
            # Not in the window that is open: one more may be claimed by now for each that has been answered.
            assert run("opt-out", "add", person(6)).code == 0
            server.open_gate()
            assert sending.end().code == 0
        got = Counter(address for taken in server.taken for address in taken.recipients)
    assert got == everybody_once({person(number) for number in (1, 2, 3, 4, 5)})
    assert "excluded" in run("log", LETTER).text
    assert run("verify").code == 0


def test_pause_stops_it_within_one_window_and_after_resume_the_rest_goes(letter: Path, run: Run, use: Settings) -> None:
    with gated_smtp(Phase.DOT, person(1)) as server:
        settings = through(server, batch_size=3)
        use(settings)
        with command(letter, *SEND_LETTER, settings=settings) as sending:
            server.wait_until_reached()
            assert run("pause", LETTER, "--reason", "wrong date").code == 0
            server.open_gate()
            paused = sending.end()
        assert paused.code == 1
        assert json.loads(paused.out)["state"] == "paused"
        assert [taken.recipients for taken in server.taken] == [(person(1),), (person(2),)]
        assert run("opt-out", "add", person(6)).code == 0
        assert run("send", LETTER, "--live").code == 1, "still paused"
        assert run("resume", LETTER).code == 0
        assert run("send", LETTER, "--live").code == 0
        got = Counter(address for taken in server.taken for address in taken.recipients)
    assert got == everybody_once({person(number) for number in range(1, 6)})
    assert run("verify").code == 0


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DOT], ids=["before its content", "after its last byte"])
def test_after_a_power_cut_nobody_is_written_to_twice_and_a_person_settles_the_doubt(
    letter: Path, run: Run, use: Settings, phase: Phase
) -> None:
    with gated_smtp(phase, person(3)) as server:
        settings = through(server)
        use(settings)
        with command(letter, *SEND_LETTER, settings=settings) as sending:
            server.wait_until_reached()
            sending.kill()
        server.open_gate()
        again = run("send", LETTER, "--live", "--json")
        assert again.code == 1, "somebody has to look"
        counts = again.json["counts"]
        assert counts["uncertain"] == 2, "one window"
        assert counts["accepted"] == 4
        assert run("send", LETTER, "--live").code == 1
        got = Counter(address for taken in server.taken for address in taken.recipients)
        assert max(got.values()) == 1
        assert {person(number) for number in (1, 2, 5, 6)} <= set(got)
        resolved = run("resolve", LETTER, "--accepted", "--reason", "both say they have it")
        assert resolved.code == 0
        settled = run("send", LETTER, "--live", "--json")
        assert (settled.code, settled.json["state"], settled.json["counts"]["accepted"]) == (0, "finished", 6)
        assert Counter(address for taken in server.taken for address in taken.recipients) == got
    assert run("verify").code == 0


def test_dispatch_sends_what_is_due_of_every_approved_mailing_and_nothing_before_its_time(
    letter: Path, run: Run, use: Settings
) -> None:
    use({"MLGROUP_NOW": "2021-11-02T08:59:00Z"})
    assert run("dispatch", "--live", "--json").json["mailings"] == []
    use({"MLGROUP_NOW": "2021-11-02T09:00:00Z"})
    assert run("dispatch", "--json").json["mailings"][0]["counts"]["accepted"] == 0, "a dry run"
    (sent,) = run("dispatch", "--live", "--json").json["mailings"]
    assert (sent["mailing"], sent["state"], sent["counts"]["accepted"]) == (LETTER, "finished", 6)
    assert run("dispatch", "--live", "--json").json["mailings"] == []
    assert len(list((letter / "var" / "outbox").rglob("*.eml"))) == 6


def test_the_allow_list_is_asked_again_in_each_claim(
    letter: Path, run: Run, use: Settings, smtp_sink: SmtpSink
) -> None:
    """Planned for the outbox, which takes everybody, and then sent by another road: nobody is written to, or lost."""
    assert run("plan", LETTER).code == 0
    use(through(smtp_sink, allowed_domains="elsewhere.example"))
    sent = run(*SEND_LETTER)
    assert (sent.code, sent.out) == (2, "")
    assert "MLGROUP_ENVIRONMENT=production" in sent.err
    assert run("status", LETTER, "--json").json["counts"]["planned"] == 6
    assert smtp_sink.messages() == []
    assert run("verify").code == 0


def test_a_second_copy_of_the_project_cannot_send_everything_again(
    letter: Path, smtp_sink: SmtpSink, run: Run, use: Settings, tmp_path: Path
) -> None:
    use(through(smtp_sink))
    assert run(*SEND_LETTER).code == 0
    assert (letter / "ledger.toml").is_file()
    use({"MLGROUP_DATABASE_URL": f"sqlite:///{tmp_path / 'second-laptop.db'}"})
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    refused = run(*SEND_LETTER)
    assert (refused.code, refused.out) == (2, "")
    assert "db adopt" in refused.err
    assert "MLGROUP_DATABASE_URL" in refused.err
    assert len(smtp_sink.messages()) == 6
    named = run("verify", "--json")
    assert (named.code, [each["invariant"] for each in named.json["violations"]]) == (1, ["11 one ledger"])
    assert run("db", "adopt", "--reason", "the old laptop is lost").code == 0
    assert run("verify").code == 0
