"""Archives of office programs, opened within bounds."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree.ElementTree import ParseError

import pytest

from mlgroup_mail.archives import (
    ArchiveError,
    ArchiveFault,
    ArchiveLimits,
    ForbiddenXmlError,
    opened_archive,
    xml_tree,
)

LIMITS = ArchiveLimits(entries=3, unpacked=1_000)


def archive(path: Path, *parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for number, content in enumerate(parts):
            made.writestr(f"{number}.xml", content)
    return path


def fault(path: Path) -> tuple[ArchiveFault, int | str]:
    with pytest.raises(ArchiveError) as caught, opened_archive(path, LIMITS):
        pass
    return caught.value.fault, caught.value.detail


def tree(text: str, *, most_elements: int = 10, most_bytes: int = 1_000):
    return xml_tree(io.BytesIO(text.encode()), most_elements=most_elements, most_bytes=most_bytes)


def test_one_within_its_limits_is_open(tmp_path: Path) -> None:
    with opened_archive(archive(tmp_path / "a", b"<a/>", b"<b/>", b"<c/>"), LIMITS) as opened:
        assert opened.read("2.xml") == b"<c/>"


def test_more_parts_or_bytes_than_allowed_are_refused_unread(tmp_path: Path) -> None:
    assert fault(archive(tmp_path / "parts", *[b""] * 4)) == (ArchiveFault.TOO_MANY_PARTS, 4)
    assert fault(archive(tmp_path / "bytes", b"x" * 1_001)) == (ArchiveFault.UNPACKS_TOO_LARGE, 1_001)


def test_what_is_no_archive_is_damaged_and_so_is_what_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"PK no more")
    assert fault(tmp_path / "text")[0] is ArchiveFault.DAMAGED
    whole = archive(tmp_path / "whole", b"<a/>").read_bytes()
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    assert fault(tmp_path / "half")[0] is ArchiveFault.DAMAGED


def test_an_encrypted_part_is_told(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "a", b"<a/>").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a").write_bytes(content)
    assert fault(tmp_path / "a")[0] is ArchiveFault.PROTECTED


def test_an_error_of_ones_own_within_it_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mine"), opened_archive(archive(tmp_path / "a", b"<a/>"), LIMITS):
        raise OSError("mine")


def test_a_part_becomes_a_tree_within_its_limits() -> None:
    assert [each.tag for each in tree("<a><b/><c/></a>").iter()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "<a>" + "<b/>" * 10 + "</a>",
        "<a>" + "x" * 1_000 + "</a>",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "<!DOCTYPE a><a/>",
        " " * 5,
    ],
    ids=["elements", "bytes", "entities", "a document type", "nothing"],
)
def test_a_part_built_like_a_bomb_is_refused(text: str) -> None:
    with pytest.raises(ForbiddenXmlError):
        tree(text)


def test_elements_in_elements_without_end_are_refused() -> None:
    with pytest.raises(ForbiddenXmlError):
        tree("<a>" * 101 + "</a>" * 101, most_elements=1_000)


def test_a_part_that_is_no_xml_is_told_as_such() -> None:
    with pytest.raises(ParseError):
        tree("<a><b></a>")
