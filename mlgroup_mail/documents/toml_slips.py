"""What the TOML reader stumbled over, in our words."""

import re
from dataclasses import dataclass

_QUOTES = 'Texts stand in straight quotes, as in subject = "News"; a quote within a text is written \\".'
_LINES = 'Each key has a line of its own: subject = "News". Tables stand in [brackets].'

_SLIPS = (
    ("Invalid value", "what stands behind the = is neither a text in quotes, a number, true or false, nor a date",
     _QUOTES),
    ("Unterminated string", "a text that begins with a quote has none at its end", _QUOTES),
    ("Expected newline or end of document", "something stands behind the value, on the same line", _QUOTES),
    ("Illegal character", "a text in quotes goes on over the end of its line, or holds a control character",
     'Close its quotes on the same line; a text of several lines stands between """ and """.'),
    ("Expected '=' after a key", "a key has no = behind it", _LINES),
    ("Invalid statement", "this line begins with something that is neither a key nor a table", _LINES),
    ("Invalid initial character for a key part", "a key is missing or begins with a sign",
     "A key is made of letters, digits, _ and -; one with other signs stands in quotes."),
    ("Expected ']]'", "the head of a table is not closed", "Write ]] at its end, as in [[mailing]]."),
    ("Expected ']'", "the head of a table is not closed", "Write ] at its end, as in [values]."),
    ("Unclosed array", "a list is not closed, or a comma is missing in it", 'Write a list as ["one", "two"].'),
    ("Unclosed inline table", "a { is not closed, or a comma is missing behind it",
     'Write it on one line, as { status = "member", country = "FR" }.'),
    ("Cannot overwrite a value", "a key stands here for the second time", "Keep one of the two."),
    ("Duplicate inline table key", "a key stands twice between { and }", "Keep one of the two."),
    ("Cannot declare", "a table stands here for the second time", "Keep one of the two, with the keys of both."),
    ("Cannot mutate immutable namespace", "a table that is closed already gets another key",
     "Write all of its keys in one place."),
    ("Unescaped '\\'", "a \\ in a text begins a sign of its own, and this is none",
     "Write \\\\ for a \\, or put the text in 'single quotes'."),
    ("Escaped character", "a \\u in a text names no letter", "Write the letter itself."),
    ("Invalid date", "this day or hour does not exist", "Write a date like 2021-11-02."),
    ("Invalid hex value", "a \\u or \\x in a text is not followed by a number",
     "Write the letter itself, or \\\\ for a \\."),
)  # fmt: skip
"""How the reader's sentences begin (tomllib, Python 3.11 to 3.14), what we say, and what helps."""

_CURLY = re.compile("[“”„‟«»‘’]")


@dataclass(frozen=True, kw_only=True, slots=True)
class TomlSlip:
    """What is wrong, on which line of the text (from 1), and what to write instead."""

    message: str
    line: int
    mend: str


def toml_slip(reason: str, text: str) -> TomlSlip:
    """What `reason`, a sentence of the TOML reader about `text`, means."""
    lines = text.split("\n")
    place = re.search(r"\(at line (\d+)", reason)
    line = int(place[1]) if place else len(text.splitlines()) or 1
    written = lines[line - 1].partition("=")[2].strip() if line <= len(lines) else ""
    if reason.startswith("Invalid value") and _CURLY.match(written):
        return TomlSlip(
            message=f"the quotes are curly ({written[0]}), and only straight ones count",
            line=line,
            mend='Type them anew: subject = "News". Word makes curly ones.',
        )
    if reason.startswith("Invalid value") and not written:
        return TomlSlip(message="nothing stands behind the =", line=line, mend='Write "" for an empty text.')
    known = next(((ours, mend) for begin, ours, mend in _SLIPS if reason.startswith(begin)), None)
    message, mend = known or ("this line cannot be read", _LINES)
    return TomlSlip(message=message, line=line, mend=mend)
