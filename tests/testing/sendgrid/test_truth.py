"""Who is accepted stands on disk, with what they get; who is not does not."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlgroup_mail.testing.sendgrid import Checking, FakeSendGrid, fake_sendgrid
from mlgroup_mail.testing.sendgrid.process import fake_sendgrid_process
from mlgroup_mail.testing.sendgrid.truth import read_truth
from tests.testing.sendgrid.raw import PATH, WHOLE, Client, exchange, first, whole


def test_an_accepted_request_is_answered_as_the_service_does(client: Client) -> None:
    reply = client.send()
    assert (reply.status, reply.body) == (202, b"")
    assert reply.headers["X-Message-Id"]


def test_a_recipient_of_an_accepted_request_stands_in_the_log(fake: FakeSendGrid, client: Client) -> None:
    reply = client.send()
    ana, bo = fake.accepted
    assert (ana.address, ana.message_id, ana.custom_args) == (
        "ana@office.example",
        "<1@mail.example.org>",
        {"delivery": "1"},
    )
    assert (bo.address, bo.request) == ("bo@ministry.example", 1)
    assert ana.answer_id == bo.answer_id == reply.headers["X-Message-Id"]
    assert ana.headers["List-Unsubscribe"] == "<https://mail.example.org/o/1>"


def test_nobody_is_told_before_the_disk_has_it(
    fake: FakeSendGrid, client: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(http.client.RemoteDisconnected):
        client.send()
    assert "the disk is full" in capfd.readouterr().err


def test_tags_are_replaced_as_text_in_subject_and_content(fake: FakeSendGrid, client: Client) -> None:
    client.send()
    ana = fake.accepted[0]
    assert ana.subject == "News for Ana"
    assert ana.parts == {
        "text/plain": "Dear Ana, https://mail.example.org/o/1",
        "text/html": "<p>Dear Ana, <a href='https://mail.example.org/o/1'>stop</a></p>",
    }
    assert ana.content == hashlib.sha256("\0".join([ana.subject, *ana.parts.values()]).encode()).hexdigest()


def test_a_value_is_not_escaped_and_a_tag_in_it_is_replaced_in_its_turn(fake: FakeSendGrid, client: Client) -> None:
    client.send(first(substitutions={"qzname01": "<b>&qzlink01", "qzlink01": "x"}))
    assert fake.accepted[0].parts["text/plain"] == "Dear <b>&x, x"


def test_tags_in_headers_and_arguments_stay_as_they_are(fake: FakeSendGrid, client: Client) -> None:
    client.send(first(headers={"X-Name": "qzname01"}, custom_args={"name": "qzname01"}))
    ana = fake.accepted[0]
    assert (ana.headers["X-Name"], ana.custom_args["name"]) == ("qzname01", "qzname01")


def test_what_is_refused_stands_nowhere(fake: FakeSendGrid, client: Client) -> None:
    assert client.send(whole(subject=None)).status == 400
    assert fake.accepted == []
    assert [(note.status, note.taken) for note in fake.requests] == [(400, False)]


def test_in_the_sandbox_a_good_request_is_answered_200_and_nobody_gets_mail(fake: FakeSendGrid, client: Client) -> None:
    assert client.send(whole(mail_settings={"sandbox_mode": {"enable": True}})).status == 200
    assert fake.accepted == []


def test_a_fast_fake_writes_down_what_it_does_not_check() -> None:
    with fake_sendgrid(checking=Checking.FAST) as fake:
        client = Client(fake)
        assert client.send(whole(subject=None)).status == 202
        assert [(each.address, each.message_id, each.custom_args) for each in fake.accepted] == [
            ("ana@office.example", "<1@mail.example.org>", {"delivery": "1"}),
            ("bo@ministry.example", "<2@mail.example.org>", {"delivery": "2"}),
        ]
        client.close()


def test_a_sink_counts_and_answers() -> None:
    with fake_sendgrid(checking=Checking.NOTHING) as fake:
        client = Client(fake)
        assert client.ask_raw("POST", PATH, b"anything").status == 202
        assert (len(fake.requests), fake.accepted) == (1, [])
        client.close()


def test_a_log_whose_last_line_was_cut_is_read_without_it(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    log.write_text('{"address": "a@b.example", "request": 1, "answer_id": "x", "at": 1.5}\n{"address": "c@')
    assert [each.address for each in read_truth(log)] == ["a@b.example"]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_truth_of_a_process_outlives_it(tmp_path: Path, end: signal.Signals) -> None:
    with fake_sendgrid_process(tmp_path / "truth.jsonl") as fake:
        fake.order("POST", "faults", [{"trouble": "resets after", "taken": True}])
        connection = http.client.HTTPConnection(urlsplit(fake.url).netloc, timeout=10)
        with pytest.raises(ConnectionResetError):
            exchange(connection, "POST", PATH, json.dumps(WHOLE).encode(), key=fake.key)
        connection.close()
        assert fake.order("GET", "state")["requests"] == 1
        fake.process.send_signal(end)
        fake.process.wait(timeout=20)
        assert [each.address for each in fake.accepted] == ["ana@office.example", "bo@ministry.example"]
    assert fake.process.returncode == (0 if end is signal.SIGTERM else -signal.SIGKILL)


def test_what_a_process_cannot_do_it_says(tmp_path: Path) -> None:
    with fake_sendgrid_process(tmp_path / "truth.jsonl") as fake, pytest.raises(ValueError, match="explodes"):
        fake.order("POST", "faults", [{"trouble": "explodes"}])


def test_a_process_can_be_started_with_faults(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"trouble": "answers", "status": 503, "times": 2}]), encoding="utf-8")
    command = [sys.executable, "-m", "mlgroup_mail.testing.sendgrid", "--faults", faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        connection = http.client.HTTPConnection(urlsplit(said["url"]).netloc, timeout=10)
        assert exchange(connection, "GET", "/fake/state", None, key="").document["waiting_faults"] == 2
        connection.close()
        process.terminate()
        assert process.wait(timeout=20) == 0
    shutil.rmtree(Path(said["log"]).parent)
