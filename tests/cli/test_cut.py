"""Ctrl-C tells of a message in doubt only where one may be."""

import pytest

from mlgroup_mail.cli.stopping import handing_over
from mlgroup_mail.settings.app import App
from tests.acceptance.conftest import approved_letter, letter
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter"]


def cut(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_command_that_sends_nothing_just_stops(run: Run, letter: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(App, "check", cut)
    stopped = run("check", "letter")
    assert stopped.code == 130
    assert "error: stopped" in stopped.err
    assert "in doubt" not in stopped.err


def test_a_send_that_is_cut_before_it_hands_over_just_stops(
    run: Run, letter: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(App, "plan", cut)
    stopped = run("send", LETTER, "--live", "--late", "trial")
    assert stopped.code == 130
    assert "in doubt" not in stopped.err


@pytest.mark.parametrize(
    ("method", "command"),
    [
        ("send", ("send", LETTER, "--live", "--late", "trial")),
        ("send_test", ("test-send", "letter", "--to", "me@office.example")),
    ],
)
def test_what_is_cut_while_it_hands_over_tells_of_doubt(
    run: Run, letter: object, monkeypatch: pytest.MonkeyPatch, method: str, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(App, method, cut)
    stopped = run(*command)
    assert stopped.code == 130
    assert "is in doubt (see `status`)" in stopped.err
    with handing_over():
        pass


def test_a_send_that_ended_well_leaves_no_doubt_behind(
    run: Run, letter: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    monkeypatch.setattr(App, "check", cut)
    assert "in doubt" not in run("check", "letter").err
