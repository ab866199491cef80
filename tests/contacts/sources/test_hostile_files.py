"""Bombs: files built to fill memory or time. Each ends with one clear error, within bounds, from the command line."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlgroup_mail.shipped import shipped
from tests.contacts.files import ods_cell, ods_file, ods_row, sheet_row, written_sheet, xlsx_file

MOST_MEMORY = 1_500
"""Megabytes that the process may ever have held."""

SEVERAL = b"a@example.org,Anna\r\n"
NO_LIST = "far more than a list of contacts has"
NO_PROGRAM = "holds what no program writes"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended, and the most memory that it held, in megabytes."""

    code: int
    out: str
    err: str
    memory: int


def run_apart(folder: Path, *arguments: str) -> Ended:
    """Run the command line in a process of its own, which may not map more than 5 GB whatever happens."""
    # The kernel's own figure for a process that has ended begins with what its parent had.
    limited = (
        "import atexit, pathlib, resource; resource.setrlimit(resource.RLIMIT_AS, (5 << 30, 5 << 30));"
        "atexit.register(lambda: pathlib.Path('peak').write_text(pathlib.Path('/proc/self/status').read_text()));"
        "from mlgroup_mail.cli.main import run; run()"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLGROUP_")}
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", limited, *arguments], cwd=folder, stdout=out, stderr=err, env=environment
        )
        process.wait()
    peak = re.search(r"VmHWM:\s*(\d+) kB", (folder / "peak").read_text())
    assert peak, "Linux tells the most memory that a process had"
    return Ended(
        code=process.returncode,
        out=(folder / "out").read_text(),
        err=" ".join((folder / "err").read_text().split()),
        memory=int(peak[1]) // 1000,
    )


def _repeated(path: Path, piece: bytes, times: int, *, before: bytes = b"", after: bytes = b"") -> None:
    block = piece * (1_000_000 // len(piece))
    with path.open("wb") as file:
        file.write(before)
        for _ in range(times):
            file.write(block)
        file.write(after)


def _sheet(path: Path, *pieces: bytes, rows: int = 1, parts: dict[str, str] | None = None) -> None:
    """A workbook with a header, and then each piece of XML `rows` times."""
    with written_sheet(path, parts=parts) as sheet:
        sheet.write(f"<sheetData>{sheet_row(1, 'Email', 'Name')}".encode())
        for _ in range(rows):
            sheet.write(b"".join(pieces))
        sheet.write(b"</sheetData>")


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "bomb"}">' for n in range(10))


def _entity_bomb(path: Path) -> None:
    xlsx_file(path, Members=[["Email"], ["a@example.org"]])
    _replace(path, "xl/worksheets/sheet1.xml", f"<!DOCTYPE worksheet [{ENTITIES}]><worksheet>&e9;</worksheet>")


def _entity_bomb_in_texts(path: Path) -> None:
    bomb = f"<!DOCTYPE sst [{ENTITIES}]><sst><si><t>&e9;</t></si></sst>"
    _sheet(path, b'<row><c t="s"><v>0</v></c></row>', parts={"xl/sharedStrings.xml": bomb})


def _entity_bomb_in_utf16(path: Path) -> None:
    """In another encoding, its letters are not where a search would find them."""
    xlsx_file(path, Members=[["Email"], ["a@example.org"]])
    _replace(path, "xl/workbook.xml", f"<!DOCTYPE workbook [{ENTITIES}]><workbook>&e9;</workbook>".encode("utf-16"))


def _entity_bomb_ods(path: Path) -> None:
    ods_file(path, Members=[["Email"]])
    _replace(path, "content.xml", f"<!DOCTYPE x [{ENTITIES}]><x>&e9;</x>")


def _replace(path: Path, name: str, content: str | bytes) -> None:
    whole = path.with_suffix(".whole")
    path.rename(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            new.writestr(entry.filename, content if entry.filename == name else old.read(entry))


def _zip_bomb(path: Path) -> None:
    blank = b" " * 1_000_000
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry,
    ):
        for _ in range(1001):
            entry.write(blank)


def _lying_zip_bomb(path: Path) -> None:
    """Its directory states a kilobyte for what unpacks to hundreds of megabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("_rels/.rels", "w", force_zip64=True) as entry:
            for _ in range(200):
                entry.write(b" " * 1_000_000)
        archive.infolist()[0].file_size = 1000


def _many_parts(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}", b"")


def _shared_text_bomb(path: Path) -> None:
    """One text of 30,000 letters, shown by a million cells."""
    strings = (
        f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{"x" * 30_000}</t></si></sst>'
    )
    _sheet(path, b'<row><c t="s"><v>0</v></c></row>' * 1000, rows=1000, parts={"xl/sharedStrings.xml": strings})


def _many_shared_texts(path: Path) -> None:
    strings = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{"<si/>" * 10_000_000}</sst>'
    _sheet(path, b'<row><c t="s"><v>0</v></c></row>', parts={"xl/sharedStrings.xml": strings})


def _repeated_columns() -> str:
    cell = ods_cell("x", 'table:number-columns-repeated="16384"')
    return f"<table:table-row>{cell}</table:table-row>"


BOMBS: dict[str, tuple[Callable[[Path], object], str]] = {
    "entities.xlsx": (_entity_bomb, f"{NO_PROGRAM}: a document type definition"),
    "entities-in-texts.xlsx": (_entity_bomb_in_texts, f"{NO_PROGRAM}: a document type definition"),
    "entities-in-utf16.xlsx": (_entity_bomb_in_utf16, f"{NO_PROGRAM}: a document type definition"),
    "entities.ods": (_entity_bomb_ods, f"{NO_PROGRAM}: a document type definition"),
    "zip.xlsx": (_zip_bomb, f"unpacks to 1001 MB: {NO_LIST}"),
    "zip.ods": (_zip_bomb, f"unpacks to 1001 MB: {NO_LIST}"),
    "lying-zip.xlsx": (_lying_zip_bomb, "this workbook is damaged"),
    "parts.xlsx": (_many_parts, f"20,000 parts: {NO_LIST}"),
    "shared-text.xlsx": (_shared_text_bomb, f"more than 600 MB of text: {NO_LIST}"),
    "shared-texts.xlsx": (_many_shared_texts, f"{NO_PROGRAM}: more text than its cells can show"),
    "one-cell.xlsx": (
        lambda path: _sheet(path, b'<row><c t="str"><v>', b"x" * 50_000_000, b"</v></c></row>"),
        f"{NO_PROGRAM}: a row without end",
    ),
    "one-row.xlsx": (lambda path: _sheet(path, b"<row>" + b"<c/>" * 20_000_000), f"{NO_PROGRAM}: a row without end"),
    "deep.xlsx": (lambda path: _sheet(path, b"<x>" * 5_000_000), f"{NO_PROGRAM}: elements in elements"),
    "rows.xlsx": (lambda path: _sheet(path, b"<row/>" * 1_000_000, rows=20), "this workbook is damaged"),
    "repeated.ods": (
        lambda path: ods_file(
            path,
            A=ods_row(["Email"])
            + f'<table:table-row table:number-rows-repeated="1000000">{ods_cell("x" * 9_999)}</table:table-row>',
        ),
        f"more than 600 MB of text: {NO_LIST}",
    ),
    "repeated-columns.ods": (
        lambda path: ods_file(
            path,
            **{f"s{number}": ods_row(["Email"]) + _repeated_columns() * 29 for number in range(160)},
        ),
        f"{NO_PROGRAM}: cells without end",
    ),
    "sheets.ods": (
        lambda path: ods_file(path, **{f"s{number}": ods_row(["Email"]) for number in range(300)}),
        f"{NO_PROGRAM}: sheets without end",
    ),
    "line.csv": (
        lambda path: _repeated(path, b"x", 500, before=b"Email\n"),
        f"a row of more than 4,000,000 characters: {NO_LIST}",
    ),
    "line-of-1-gb.csv": (lambda path: _repeated(path, b"x", 1000), f"the file has 1,000 MB: {NO_LIST}"),
    "quote.csv": (
        lambda path: _repeated(path, SEVERAL, 200, before=b'Email,Name\r\na@example.org,"Anna\r\n'),
        f"a row of more than 4,000,000 characters: {NO_LIST}",
    ),
    "quoted-lines.csv": (
        lambda path: _repeated(path, b'"\n",', 100, before=b"Email,Name\n"),
        f"a row of more than 4,000,000 characters: {NO_LIST}",
    ),
    "sparse.csv": (lambda path: path.touch() or os.truncate(path, 5 << 30), f"the file has 5,368 MB: {NO_LIST}"),
    "zeros.csv": (lambda path: path.touch() or os.truncate(path, 500 << 20), "this is not a text file"),
    "blank-lines.csv": (
        lambda path: _repeated(path, b"\n", 20, before=b"Email\n"),
        f"more than 10,000,000 rows: {NO_LIST}",
    ),
    "million-columns.csv": (
        lambda path: path.write_bytes(b"Email" + b"," * 1_000_000 + b"\na@example.org\n"),
        f"row 1 has 1,000,001 cells: {NO_LIST}",
    ),
    "million-columns-below.csv": (
        lambda path: path.write_bytes(b"Email,Name\n" + b"," * 1_000_000 + b"\na@example.org\n"),
        f"row 2 has 1,000,001 cells: {NO_LIST}",
    ),
    "binary.xlsx": (lambda path: path.write_bytes(b"PK\x03\x04" + os.urandom(5_000_000)), "this workbook is damaged"),
}


@pytest.mark.parametrize(("name", "make", "reason"), [(name, *bomb) for name, bomb in BOMBS.items()], ids=list(BOMBS))
def test_a_bomb_ends_in_one_clear_error_within_bounds(
    tmp_path: Path, name: str, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / name
    make(path)
    ended = run_apart(tmp_path, "contacts", "check", name)
    path.unlink()
    assert (ended.code, ended.out) == (1, ""), ended.err
    assert reason in ended.err
    assert name in ended.err
    assert ended.memory < MOST_MEMORY


@pytest.mark.parametrize("name", ["wide.csv", "wide.xlsx"])
def test_a_list_of_16384_columns_is_read(tmp_path: Path, name: str) -> None:
    """Excel's widest sheet: only the columns that hold contacts take memory."""
    header = ["Email", "Name", *(f"c{number}" for number in range(16_382))]
    if name.endswith("csv"):
        rows = [",".join(header), *(f"p{number}@example.org,x{',1' * 16_382}" for number in range(2_000))]
        (tmp_path / name).write_text("\n".join(rows))
    else:
        _sheet_of(tmp_path / name, header, [f"p{number}@example.org" for number in range(50)])
    ended = run_apart(tmp_path, "contacts", "check", name, "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["contacts"] == (2_000 if name.endswith("csv") else 50)
    assert ended.memory < MOST_MEMORY


def _sheet_of(path: Path, header: list[str], addresses: list[str]) -> None:
    with written_sheet(path) as sheet:
        sheet.write(f"<sheetData>{sheet_row(1, *header)}".encode())
        for address in addresses:
            sheet.write(f'<row><c t="str"><v>{address}</v></c>{"<c><v>1</v></c>" * 16_383}</row>'.encode())
        sheet.write(b"</sheetData>")


def test_a_sheet_of_a_million_rows_is_read(tmp_path: Path) -> None:
    """As many as a sheet can have, with something in its last corner."""
    with written_sheet(tmp_path / "long.xlsx") as sheet:
        sheet.write(f"<sheetData>{sheet_row(1, 'Email')}".encode())
        for first in range(2, 1_048_576, 10_000):
            sheet.write(
                "".join(
                    f'<row r="{row}"><c r="A{row}" t="str"><v>p{row}@example.org</v></c></row>'
                    for row in range(first, min(first + 10_000, 1_048_576))
                ).encode()
            )
        sheet.write(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    ended = run_apart(tmp_path, "contacts", "check", "long.xlsx", "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["rows"], told["contacts"]) == (1_048_575, 1_048_574)
    assert [note["row"] for note in told["rejected"]] == [1_048_576]
    assert ended.memory < MOST_MEMORY


def test_what_was_stored_stays_when_a_pull_meets_a_bomb(tmp_path: Path) -> None:
    shutil.copy(shipped("mlgroup.toml"), tmp_path / "mlgroup.toml")
    shutil.copytree(shipped("contacts"), tmp_path / "contacts")
    config = tmp_path / "contacts" / "contacts.toml"
    config.write_text(
        '[[source]]\nname = "first"\npath = "first.csv"\n[[source]]\nname = "members"\npath = "members.xlsx"\n'
    )
    (tmp_path / "contacts" / "first.csv").write_text("Email\nfirst@example.org\n")
    members = xlsx_file(
        tmp_path / "contacts" / "members.xlsx", Members=[["Email"], ["anna@example.org"], ["b@example.org"]]
    )
    assert run_apart(tmp_path, "contacts", "pull").code == 0
    good = members.read_bytes()
    _entity_bomb(members)
    (tmp_path / "contacts" / "first.csv").write_text("Email\nother@example.org\n")
    ended = run_apart(tmp_path, "contacts", "pull")
    assert (ended.code, ended.out) == (1, "")
    assert "a document type definition" in ended.err
    members.write_bytes(good)
    (tmp_path / "contacts" / "first.csv").write_text("Email\nfirst@example.org\n")
    again = run_apart(tmp_path, "contacts", "pull", "--json")
    assert again.code == 0, again.err
    stored = json.loads(again.out)["stored"]
    assert {key: stored[key] for key in ("added", "changed", "unchanged", "left")} == {
        "added": 0,
        "changed": 0,
        "unchanged": 3,
        "left": 0,
    }
