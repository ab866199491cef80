"""How far a command is: a bar on a terminal, a line now and then elsewhere, nothing for programs."""

import io
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.cli.progress_bar import LINE_EVERY, Lines, progress_bar
from mlgroup_mail.progress import in_words, pace, span
from tests.cli.conftest import Run


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


def test_elsewhere_a_line_comes_every_half_minute_with_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    tell = Lines("sending", total=5000, clock=clock)
    for _ in range(90):
        clock.now += 1.0
        tell(advance=40)
    assert capsys.readouterr().err.splitlines() == [
        "sending: 1,200 of 5,000, 40 a second, about 95 s left",
        "sending: 2,400 of 5,000, 40 a second, about 65 s left",
        "sending: 3,600 of 5,000, 40 a second, about 35 s left",
    ]


def test_what_takes_less_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    tell = Lines("sending", total=5, clock=clock)
    clock.now = LINE_EVERY - 0.1
    tell(completed=5, total=5)
    assert capsys.readouterr() == ("", "")


def test_programs_get_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar("sending", total=5, quiet=True) as tell:
        tell(advance=5)
    assert terminal.getvalue() == ""


def test_a_terminal_shows_a_bar_with_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar("sending", total=4) as tell:
        tell(advance=1)
        tell(advance=3)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "sending" in shown
    assert "4/4" in shown


def test_a_command_for_programs_prints_one_object_and_nothing_else(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", ".")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("contacts", "pull", "--json").json["rows"] > 0
    assert terminal.getvalue() == ""


def test_slow_work_is_told_by_the_minute_or_the_hour() -> None:
    assert [pace(rate) for rate in (1900.4, 1, 0.5, 0.0056)] == [
        "1,900 a second",
        "1 a second",
        "30 a minute",
        "20 an hour",
    ]
    assert [span(seconds) for seconds in (0, 119, 125, 7100, 12_000)] == [
        "0 s",
        "119 s",
        "2 min",
        "118 min",
        "3 h 20 min",
    ]


@given(
    st.integers(min_value=0, max_value=10**7),
    st.integers(min_value=0, max_value=10**7),
    st.floats(min_value=0, max_value=10**6),
)
def test_nothing_is_told_that_nobody_knows(done: int, total: int, seconds: float) -> None:
    told = in_words(done, total, seconds)
    assert told.startswith(f"{done:,}")
    assert (" of " in told) == (total > 0)
    assert ("left" in told) == (total > done > 0 and seconds > 0)
