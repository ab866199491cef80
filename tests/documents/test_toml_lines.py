"""Every key of a TOML text is found on the line on which it was written."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.documents import KeyPath, line_of

TEXT = '''a = 1
[x.y]
b = [
  1, { c = 2 },
]
text = """
d = 1
[[m]]
"""

[[m]]
name = "a"
# name = "none"
[[m]]
name = "b"
[m.values]
"a key" = { q = 1, r = [ { s = 2 } ] }
x.y = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("x", "y"), 2),
        (("x", "y", "b"), 3),
        (("x", "y", "b", 1, "c"), 3),
        (("x", "y", "text"), 6),
        (("m", 0), 11),
        (("m", 0, "name"), 12),
        (("m", 1, "name"), 15),
        (("m", 1, "values"), 16),
        (("m", 1, "values", "a key", "r", 0, "s"), 17),
        (("m", 1, "values", "x", "y"), 18),
    ],
)
def test_a_key_has_its_line(path: KeyPath, line: int) -> None:
    assert line_of(TEXT, path) == line
    assert line_of(TEXT.replace("\n", "\r\n"), path) == line


@pytest.mark.parametrize(
    ("path", "line"), [(("m", 1, "nothing"), 14), (("x", "y", "z", "w"), 2), (("nothing",), 1), ((), 1)]
)
def test_a_key_that_is_missing_has_the_line_of_its_table(path: KeyPath, line: int) -> None:
    assert line_of(TEXT, path) == line


VALUES = st.one_of(
    st.integers(-9, 9).map(str),
    st.text("ab#[]=\n ", max_size=6).map(lambda text: f"'''{text}'''"),
    st.lists(st.sampled_from(["1", '"]"', "'#'"]), max_size=3).map(lambda parts: "[\n" + ",\n".join(parts) + "\n]"),
)


@given(st.lists(st.tuples(st.sampled_from(["", "# k = 1\n", "\n"]), VALUES), max_size=8), st.booleans())
def test_whatever_stands_between_them_each_key_has_the_line_it_begins_on(
    entries: list[tuple[str, str]], in_tables: bool
) -> None:
    text, expected = "", {}
    for number, (before, value) in enumerate(entries):
        text += before + ("[[t]]\n" if in_tables else "")
        path: KeyPath = ("t", number, f"k{number}") if in_tables else (f"k{number}",)
        expected[path] = text.count("\n") + 1
        text += f"{json.dumps(path[-1])} = {value}\n"
    tomllib.loads(text)
    assert {path: line_of(text, path) for path in expected} == expected
