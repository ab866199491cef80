"""The sample list that comes with the software: fictional, large enough, and as messy as a real one."""

import re
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlgroup_mail import addresses
from mlgroup_mail.contacts.audience import figures
from mlgroup_mail.contacts.cleaning.cleaned import Cleaned
from mlgroup_mail.contacts.config import read_config
from mlgroup_mail.contacts.pulling import read_all
from mlgroup_mail.contacts.segments import segment_for
from mlgroup_mail.settings.parts import vocabulary
from mlgroup_mail.settings.project import read_project

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "contacts"
RESERVED = re.compile(r"(^|\.)(example|example\.(org|com|net))$")


@pytest.fixture(scope="module")
def pulled() -> Cleaned:
    words = vocabulary(read_project(ROOT))
    return read_all(read_config(FOLDER), FOLDER, words, at=datetime(2021, 10, 20, tzinfo=UTC))


def test_it_has_over_250_members_from_33_countries(pulled: Cleaned) -> None:
    found = figures(pulled.contacts)
    assert found["members"] > 250
    assert found["countries"] == 33


def test_its_mess_ends_as_it_should(pulled: Cleaned) -> None:
    assert pulled.rows == len(pulled.contacts) + len(pulled.merged) + len(pulled.rejected)
    assert len(pulled.merged) == 5
    assert len({note.reason for note in pulled.rejected}) == len(pulled.rejected) == 7
    assert [note.column for note in pulled.noted] == ["Country", "Time zone", "Topics"]
    assert sorted(contact.status for contact in pulled.contacts if contact.status not in {"member", "lead"}) == sorted(
        ["ausgetreten", "désabonné", "inactive", "left", "unsubscribed", *["board"] * 6]
    )
    assert len(pulled.opt_outs) == 5


def test_its_segments_choose_people(pulled: Cleaned) -> None:
    config = read_config(FOLDER)
    for name in config.segment:
        assert any(map(segment_for(config, name).matches, pulled.contacts)), name


def test_nobody_in_it_can_be_written_to(pulled: Cleaned) -> None:
    """Every address lies under a reserved domain (RFC 2606), the rejected ones and the opt-outs too."""
    opt_outs = (FOLDER / "opt-outs" / "sample-opt-outs.csv").read_text(encoding="utf-8")
    text = (FOLDER / "sample-members.csv").read_text(encoding="utf-8") + opt_outs
    domains = {found.lower().rstrip(".") for found in re.findall(r"@\s?([\w.-]+)", text)}
    assert {domain for domain in domains if not RESERVED.search(domain)} == {"statistics"}


def test_its_names_are_written_in_many_scripts(pulled: Cleaned) -> None:
    letters = {char for contact in pulled.contacts for char in contact.name if char.isalpha()}
    scripts = {unicodedata.name(char).partition(" ")[0] for char in letters}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "GEORGIAN", "ARABIC", "HEBREW", "DEVANAGARI", "THAI"}
    assert scripts >= {"CJK", "HIRAGANA", "HANGUL"}


def test_the_sample_opt_outs_are_people_of_the_list(pulled: Cleaned) -> None:
    lines = (FOLDER / "opt-outs" / "sample-opt-outs.csv").read_text(encoding="utf-8").splitlines()
    mailboxes = {addresses.key(contact.address) for contact in pulled.contacts}
    assert lines[0] == "address,topic,at,reason"
    assert {addresses.key(line.partition(",")[0]) for line in lines[1:]} <= mailboxes


def test_its_tool_writes_it_as_it_is(tmp_path: Path) -> None:
    """The list is never edited by hand: a change goes into the tool."""
    tool = ROOT / "tools" / "make_sample_list.py"
    subprocess.run([sys.executable, str(tool), str(tmp_path / "list.csv")], check=True)
    assert (tmp_path / "list.csv").read_bytes() == (FOLDER / "sample-members.csv").read_bytes()
