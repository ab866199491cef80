"""Stopping, by hand and by sleep: the open window is finished, and whoever was given up meanwhile does no harm."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, GatedSmtp, command, gated_smtp, person, through
from tests.cli.conftest import Run
from tests.servers.faults import Phase
from tests.servers.smtp_sink import SmtpSink

SEND = ("send", LETTER, "--live", "--late", "trial", "--json")

IMPATIENT = """
import mlgroup_mail.delivery.dispatch
from mlgroup_mail.cli import main

mlgroup_mail.delivery.dispatch.BEGIN_WITHIN_SECONDS = 1.0
main.run()
"""


def got(server: GatedSmtp) -> Counter[str]:
    return Counter(address for taken in server.taken for address in taken.recipients)


def everybody_once() -> Counter[str]:
    return Counter({person(number): 1 for number in range(1, 7)})


def forget_lease(letter: Path) -> None:
    """What 90 seconds of silence do."""
    ledger = sqlite3.connect(letter / "var" / "mlgroup.db")
    with ledger:
        ledger.execute("UPDATE owner SET lease_until = 0 WHERE ended_at IS NULL")
    ledger.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_the_first_signal_lets_the_open_window_finish_and_says_how_to_go_on(
    letter: Path, run: Run, use: Settings, number: signal.Signals
) -> None:
    with gated_smtp(Phase.DOT, person(3)) as server:
        settings = through(server)
        use(settings)
        with command(letter, *SEND, settings=settings) as sending:
            server.wait_until_reached()
            sending.signal(number)
            sending.wait_until_it_says("Ctrl-C again cuts at once")
            server.open_gate()
            stopped = sending.end()
        assert stopped.code == 1
        counts = json.loads(stopped.out)["counts"]
        assert (counts["accepted"], counts["planned"], counts["uncertain"]) == (4, 2, 0)
        assert "Stopped: 2 still to go. Run the same command again" in stopped.err
        again = run(*SEND)
        assert (again.code, again.json["counts"]["accepted"]) == (0, 6)
        assert got(server) == everybody_once()
    assert run("verify").code == 0


def test_the_second_signal_cuts_at_once_and_leaves_one_window_in_doubt(letter: Path, run: Run, use: Settings) -> None:
    with gated_smtp(Phase.DOT, person(3)) as server:
        settings = through(server)
        use(settings)
        with command(letter, *SEND, settings=settings) as sending:
            server.wait_until_reached()
            sending.signal(signal.SIGINT)
            sending.wait_until_it_says("Ctrl-C again cuts at once")
            sending.signal(signal.SIGINT)
            stopped = sending.end()
        assert (stopped.code, stopped.out) == (130, "")
        assert "is in doubt (see `status`), the same command does the rest" in stopped.err
        assert "Traceback" not in stopped.err
        server.open_gate()
        again = run(*SEND)
        counts = again.json["counts"]
        assert (again.code, counts["uncertain"] + counts["accepted"]) == (1, 6)
        assert 1 <= counts["uncertain"] <= 2, "the message that was under way, at most its window"
        assert max(got(server).values()) == 1
    assert run("verify").code == 0


def test_who_waits_for_a_rate_stops_at_once(letter: Path, run: Run, use: Settings, smtp_sink: SmtpSink) -> None:
    """At one message a minute it would take five minutes to the end."""
    settings = through(smtp_sink, smtp_per_minute=1)
    use(settings)
    with command(letter, *SEND, settings=settings) as sending:
        while not smtp_sink.messages():
            time.sleep(0.05)
        sending.signal(signal.SIGTERM)
        stopped = sending.end()
    assert stopped.code == 1
    counts = json.loads(stopped.out)["counts"]
    assert (counts["uncertain"], counts["attempting"]) == (0, 0)
    assert counts["accepted"] == len(smtp_sink.messages()) < 6
    assert f"Stopped: {counts['planned']} still to go" in stopped.err
    assert run("verify").code == 0


def test_a_signal_that_this_process_was_told_to_ignore_stays_ignored(letter: Path, run: Run, use: Settings) -> None:
    """`nohup mlgroup-mail send ...` goes on when the terminal closes."""
    with gated_smtp(Phase.DOT, person(3)) as server:
        settings = through(server)
        use(settings)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with command(letter, *SEND, settings=settings) as sending:
                server.wait_until_reached()
                sending.signal(signal.SIGHUP)
                server.open_gate()
                ended = sending.end()
        finally:
            signal.signal(signal.SIGHUP, before)
        assert (ended.code, ended.err) == (0, "")
        assert got(server) == everybody_once()


def test_who_is_stopped_beyond_the_lease_has_its_late_answers_counted_and_claims_no_more(
    letter: Path, run: Run, use: Settings
) -> None:
    with gated_smtp(Phase.DOT, person(2)) as server:
        settings = through(server)
        use(settings)
        with command(letter, *SEND, settings=settings) as sleeping:
            server.wait_until_reached()
            sleeping.signal(signal.SIGSTOP)
            living = run("status", LETTER, "--json").json["counts"]
            assert living["attempting"] == 2, "it may only be slow"
            forget_lease(letter)
            others = run("send", LETTER, "--live", "--json")
            assert (others.code, others.json["counts"]["uncertain"], others.json["counts"]["accepted"]) == (1, 2, 4)
            server.open_gate()
            sleeping.signal(signal.SIGCONT)
            woken = sleeping.end()
        assert (woken.code, json.loads(woken.out)["counts"]["accepted"]) == (1, 6), "what has gone is shown"
        assert "given up for dead while it slept" in woken.err
        assert "Run the same command again" in woken.err
        assert "Traceback" not in woken.err
        settled = run("send", LETTER, "--live", "--json")
        assert (settled.code, settled.json["state"], settled.json["counts"]["accepted"]) == (0, "finished", 6)
        assert got(server) == everybody_once()
    assert run("verify").code == 0


def test_who_is_stopped_between_its_claim_and_the_first_byte_hands_back_what_has_not_begun(
    letter: Path, run: Run, use: Settings
) -> None:
    """The limit is a second here: somebody may have opted out since the claim."""
    with gated_smtp(Phase.RCPT, person(1)) as server:
        settings = through(server)
        use(settings)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLGROUP_", "PREFECT_"))}
        with subprocess.Popen(
            [sys.executable, "-c", IMPATIENT, *SEND], cwd=letter, env=kept | settings, stdout=subprocess.PIPE
        ) as sending:
            server.wait_until_reached()
            sending.send_signal(signal.SIGSTOP)
            assert run("opt-out", "add", person(2)).code == 0
            time.sleep(1.2)
            server.open_gate()
            sending.send_signal(signal.SIGCONT)
            out, _ = sending.communicate(timeout=120)
        assert sending.returncode == 0
        counts = json.loads(out)["counts"]
        assert (counts["accepted"], counts["excluded"]) == (5, 1)
        assert got(server) == everybody_once() - Counter([person(2)])
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    (handed_back,) = [line for line in lines if line["address"] == person(2)]
    assert (handed_back["state"], handed_back["attempts"]) == ("excluded", 0), "nothing of it had left"
    assert run("verify").code == 0


def test_a_laptop_that_slept_for_hours_waits_for_a_person(letter: Path, run: Run, use: Settings) -> None:
    """Nobody gave it up meanwhile; but what was right to send yesterday evening may not be this morning."""
    with gated_smtp(Phase.DOT, person(2)) as server:
        settings = through(server)
        use(settings)
        with command(letter, *SEND, settings=settings) as sleeping:
            server.wait_until_reached()
            sleeping.signal(signal.SIGSTOP)
            forget_lease(letter)
            ledger = sqlite3.connect(letter / "var" / "mlgroup.db")
            with ledger:
                ledger.execute("UPDATE owner SET lease_until = -7200 WHERE ended_at IS NULL")
            ledger.close()
            server.open_gate()
            sleeping.signal(signal.SIGCONT)
            woken = sleeping.end()
        assert woken.code == 1
        assert "given up for dead while it slept" in woken.err
        counts = run("status", LETTER, "--json").json["counts"]
        # Two were open, and one more where the first had been answered.
        assert (counts["accepted"], counts["planned"]) in {(2, 4), (3, 3)}
        assert counts["uncertain"] == 0
    assert run("verify").code == 0
