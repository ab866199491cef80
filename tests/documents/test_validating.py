"""A table that people wrote: all that is wrong with it is said at once, in words that are no programmer's."""

import re
import tomllib
from datetime import date
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field

from mlgroup_mail.documents import Document, parse_toml, read_document, validate
from mlgroup_mail.errors import ConfigurationError, Problem


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(Document):
    name: str = Field(min_length=1, max_length=9)
    count: int = Field(default=1, ge=1, le=9)
    factor: float = Field(default=1, gt=0, lt=2)


class Topic(Document):
    default: bool
    title: str = ""


class File(Document):
    title: str
    subject: str = ""
    flag: bool = False
    colour: Colour = Colour.RED
    value: bool | int | date | str = ""
    begins: AwareDatetime | None = None
    theme: Part | None = None
    part: list[Part] = Field(default_factory=list, max_length=2)
    topics: dict[str, bool | Topic] = Field(default_factory=dict)


def problems(tmp_path: Path, text: str) -> list[Problem]:
    path = tmp_path / "file.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_document(File, path)
    return list(refused.value.problems)


@pytest.mark.parametrize(
    ("text", "line", "message", "mend"),
    [
        ("titel = 'x'", 1, "the key “titel” is not known here", "Did you mean “title”?"),
        ("title = 'x'\nsubjct = 'y'", 2, "the key “subjct” is not known here", "Did you mean “subject”?"),
        ("title = 'x'\nzzz = 'y'", 2, "the key “zzz” is not known here", "Known keys: title, subject,"),
        ("subject = 'x'", 1, "the key “title” is missing", "Add a line: title = ..."),
        ("title = 1", 1, "“title” must be a text in quotes", ""),
        ("title = 'x'\nflag = 'maybe'", 2, "“flag” must be true or false", ""),
        ("title = 'x'\ncolour = 'green'", 2, "“colour” must be one of red or blue", ""),
        (
            "title = 'x'\nvalue = [1]",
            2,
            "“value” must be true or false, a whole number, a date or a text in quotes",
            "",
        ),
        ("title = 'x'\nbegins = 2021-11-02T09:00:00", 2, "“begins” must be a date and time with its zone", ""),
        ("title = 'x'\n[theme]\n\nname = ''", 4, "“theme.name” is empty", ""),
        ("title = 'x'\n[theme]\nname = 'abcdefghij'", 3, "“theme.name” has more than 9 characters", ""),
        ("title = 'x'\n[theme]\nname = 'a'\ncount = 10", 4, "“theme.count” must be 9 or less", ""),
        ("title = 'x'\n[theme]\nname = 'a'\ncount = 0", 4, "“theme.count” must be 1 or more", ""),
        ("title = 'x'\n[theme]\nname = 'a'\ncount = 1.5", 4, "“theme.count” must be a whole number", ""),
        ("title = 'x'\n[theme]\nname = 'a'\nfactor = 2", 4, "“theme.factor” must be less than 2", ""),
        ("title = 'x'\n[theme]\nname = 'a'\nfactor = 0", 4, "“theme.factor” must be more than 0", ""),
        ("title = 'x'\n[[theme]]\nname = 'a'", 2, "“theme” stands in double brackets", "Write [theme]"),
        ("title = 'x'\n[part]\nname = 'a'", 2, "“part” stands in single brackets", "Write [[part]]"),
        ("title = 'x'\n[[part]]\nname = 'a'\n[[part]]\nnam = 'b'", 5, "the key “nam” is not known", "“name”?"),
        ("title = 'x'\n[[part]]\nname = 'a'\n[[part]]\ncount = 1", 4, "the key “name” is missing", "name = ..."),
        ("title = 'x'\npart = [1]", 2, "“part” must be a table", ""),
        ("title = 'x'\n[[part]]\nname='a'\n[[part]]\nname='a'\n[[part]]\nname='a'", 2, "more than 2 entries", ""),
        ("title = 'x'\n[topics]\nnews = 'often'", 3, "“topics.news” must be true or false or a table", ""),
        ("title = 'x'\n[topics]\nnews = { defalt = true }", 3, "“topics.news.defalt” is not known", "“default”?"),
    ],
)
def test_a_slip_has_its_line_and_its_mend(tmp_path: Path, text: str, line: int, message: str, mend: str) -> None:
    (found,) = problems(tmp_path, text)
    assert message in found.message
    assert found.where == f"{tmp_path / 'file.toml'}, line {line}"
    assert mend in found.mend


def test_all_slips_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "titel = 'x'\nflag = 3\n[[part]]\ncount = 0\n[[part]]\nnme = 'a'\n")
    assert sorted(problem.where.rpartition(" ")[2] for problem in found) == ["1", "2", "3", "4", "6"]


@pytest.mark.parametrize(
    ("text", "line", "message", "mend"),
    [
        ("a = “News”", 1, "the quotes are curly (“), and only straight ones count", "Type them anew"),
        ("a = „News“", 1, "the quotes are curly", "Type them anew"),
        ("a = News", 1, "neither a text in quotes, a number", "straight quotes"),
        ("\na =", 2, "nothing stands behind the =", "empty text"),
        ('a = "x\nb = 1', 1, "goes on over the end of its line", "Close its quotes"),
        ('a = """x\nb = 1', 2, "has none at its end", "straight quotes"),
        ('a = "x" y', 1, "behind the value, on the same line", "straight quotes"),
        ("a b = 1", 1, "has no = behind it", "a line of its own"),
        ("= 1", 1, "begins with something that is neither a key nor a table", "a line of its own"),
        ("a. = 1", 1, "a key is missing or begins with a sign", "letters, digits"),
        ("[[a]\n", 1, "the head of a table is not closed", "]]"),
        ("[a\n", 1, "the head of a table is not closed", "]"),
        ("a = [1", 1, "a list is not closed", '["one", "two"]'),
        ("a = {b = 1", 1, "a { is not closed", "on one line"),
        ("a = 1\na = 2", 2, "for the second time", "Keep one"),
        ("a = {b = 1, b = 2}", 1, "stands twice", "Keep one"),
        ("[a]\n[a]", 2, "a table stands here for the second time", "Keep one"),
        ('a = "C:\\x"', 1, "a \\ in a text", "single quotes"),
        ("a = 2021-13-01", 1, "", ""),
    ],
)
def test_what_is_no_toml_is_told_in_our_words(text: str, line: int, message: str, mend: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_toml(text, where="file.toml")
    problem = refused.value.problem
    assert problem.where == f"file.toml, line {line}"
    assert message in problem.message
    assert mend in problem.mend


OF_PROGRAMMERS = re.compile(
    r"\b(input|should|string|valid (?!TOML)|integer|boolean|dictionary|mapping|None|type)\b|\[|'"
)

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "default", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*File.model_fields, "titl"]), ANY, max_size=5))
def test_whatever_stands_in_a_table_is_refused_without_words_of_programmers(data: dict[str, object]) -> None:
    try:
        validate(File, data, where="file.toml")
    except ConfigurationError as error:
        for problem in error.problems:
            assert not OF_PROGRAMMERS.search(problem.message.replace("[brackets]", "")), problem


@given(st.text("ab=[]{}\"'#\n,.:1-“”\\", max_size=30))
def test_whatever_a_file_holds_is_toml_or_told_in_our_words(text: str) -> None:
    try:
        parse_toml(text, where="file.toml")
    except ConfigurationError as error:
        with pytest.raises(tomllib.TOMLDecodeError) as theirs:
            tomllib.loads(text)
        assert str(theirs.value).partition(" (at")[0].casefold() not in error.problem.message.casefold()  # noqa: PT017
