"""What people see on terminals of any width: words, addresses and commands stay whole."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.acceptance.conftest import approved_letter, letter, run
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter", "run"]


def shown(root: Path, width: int, *arguments: str) -> list[str]:
    """The lines of a command on a terminal of that width, without colours and progress."""
    here, there = os.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "HOME": str(root)}
    command = [sys.executable, "-m", "mlgroup_mail", *arguments]
    with subprocess.Popen(command, cwd=root, stdout=there, stderr=subprocess.DEVNULL, env=environment):
        os.close(there)
        text = b""
        while piece := _read(here):
            text += piece
    os.close(here)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", text.decode()).rstrip("\n").split("\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so that nobody writes to it any more.
        return b""


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="terminals are POSIX's")
class TestTerminals:
    def test_the_title_of_a_table_is_one_line_however_narrow_the_table(self, letter: Path) -> None:
        assert shown(letter, 72, "send", LETTER)[0] == f"{LETTER}: what would happen"

    @pytest.mark.parametrize("width", [60, 72, 100])
    def test_an_address_in_a_list_stays_whole(self, run: Run, letter: Path, width: int) -> None:
        assert run("send", LETTER, "--live", "--late", "a test").code == 0
        lines = shown(letter, width, "log", LETTER)
        assert any(re.search(r"(^| )person1@office\.example( |$)", line) for line in lines), lines
        assert all(len(line.rstrip()) <= width for line in lines)
        assert not any(re.search(r"\baccepte$|\bd$", line) for line in lines), "no word is torn apart"

    def test_a_row_that_is_too_wide_has_the_names_of_its_columns(self, run: Run, letter: Path) -> None:
        assert run("send", LETTER, "--live", "--late", "a test").code == 0
        lines = shown(letter, 60, "log", LETTER)
        assert lines[lines.index("person1@office.example") + 1].startswith("  contact: 1, state: accepted")

    @pytest.mark.parametrize("width", [60, 72, 100])
    def test_a_finding_has_its_place_in_one_piece_and_its_words_within_the_width(
        self, letter: Path, width: int
    ) -> None:
        path = letter / "campaigns" / "letter" / "campaign.md"
        path.write_text(path.read_text(encoding="utf-8") + "\n{{ grup.name }}\n", encoding="utf-8")
        lines = shown(letter, width, "check", LETTER)
        assert lines[0] == "error   campaigns/letter/campaign.md, line 15  not-readable"
        assert all(len(line) <= width and line == line.rstrip() for line in lines[1:])
        assert lines[1].startswith("        “grup” is not known here")
