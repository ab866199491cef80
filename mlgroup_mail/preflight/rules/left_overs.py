"""left-overs: what was to be filled in before sending."""

import re
from collections.abc import Iterator

from mlgroup_mail.content.writing.typed_text import ESCAPED, NO_TEXT, typed_texts
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject

RULE = "left-overs"

# Braces that an editor of texts has torn apart, and fields as other programs write them, are none to Jinja.
_MARK = r"\{\{|\}\}|\{%|%\}|\{\s+\{|\}\s+\}|\{\s*(?:recipient|links|group|events)\.\w+\s*\}|<<\w+>>"
_BRACES = re.compile(_MARK)
_FIELD = re.compile(rf"\{{\s*[{{%][^{{}}]{{0,80}}[}}%]\s*\}}|{_MARK}")
"""A whole field, where both its ends are there: one mistake, told once."""
_MEANT = re.compile(rf"\{{{ESCAPED}[{{%#].*?[}}%#]{ESCAPED}?\}}|[}}%]{ESCAPED}\}}", re.DOTALL)
"""Braces to be read as such: a backslash keeps them apart. So the import of Word documents writes them."""
_AS_VALUE = re.compile(r"""\{\{-?\s*(["'])(?P<open>\{[{%#])\1\s*-?\}\}""")
"""Where there is no Markdown, in a subject, braces to be read as such are a value."""
_CLOSED_BY = {"{{": "}}", "{%": "%}", "{#": "#}"}
_MEND_BRACES = "Write fields as {{ recipient.first_name }}, or take the marks away."
# In capitals only: "todo" is an ordinary word in Spanish and Portuguese.
_NOTES = re.compile(r"\b(?:TODO|TBC|TBD|TBA|FIXME|XXX+)\b|\b[Ll]orem ipsum\b")


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each kind of left-over in a value, and in subject, preheader or text of each language."""
    for name, value in subject.campaign.values.items():
        for word in _words(_NOTES, str(value)):
            yield _finding(subject.campaign.value_places[name], word, "Write what is meant, or leave it out.")
    for text in subject.texts:
        yield from _notes(text)
        yield from _braces(text)


def _braces(text: CheckedText) -> Iterator[Finding]:
    typed, known = _typed_braces(text)
    for place, mark in typed:
        yield _finding(place, mark, _MEND_BRACES)
    for variant, said in text.variants_and_data:
        in_subject = _words(_FIELD, variant.subject)
        meant = _as_values(text.words.subject)
        for mark in in_subject:
            if mark not in said and not meant.issuperset(_words(_BRACES, mark)):
                yield _finding(text.words.places.get("subject", text.words.text_file), mark, _MEND_BRACES)
        # The subject stands above the text too, as its title. What is left comes from a value or a template.
        for mark in _words(_FIELD, " ".join(variant.text.split())):
            if mark not in said and mark not in known and mark[:2] not in known and mark not in in_subject:
                yield _finding(text.words.text_file, mark, _MEND_BRACES)


def _typed_braces(text: CheckedText) -> tuple[list[tuple[str, str]], set[str]]:
    """The braces left over in a text as it was typed, with their places; and all that readers see of what was typed."""
    found: list[tuple[str, str]] = []
    shown: list[str] = []
    for typed in typed_texts(text.words):
        shown += typed.text, typed.code
        left = _MEANT.sub(lambda meant: re.sub(r"[^\n]", NO_TEXT, meant[0]), typed.text)
        # The “<<” of other programs is left over with a backslash too.
        left = left.replace(f"{ESCAPED}<", "<")
        found += [(typed.where(mark.start()), " ".join(mark[0].split())) for mark in _FIELD.finditer(left)]
    seen = " ".join(" ".join(shown).replace(ESCAPED, "").replace(NO_TEXT, "").split())
    return list(dict.fromkeys(found)), {*_words(_FIELD, seen)} - {"{{", "{%"} | _as_values(text.words.text)


def _as_values(written: str) -> set[str]:
    opened = {found["open"] for found in _AS_VALUE.finditer(written)}
    return opened | {_CLOSED_BY[mark] for mark in opened}


def _notes(text: CheckedText) -> Iterator[Finding]:
    for place, line in text.words.lines:
        for word in _words(_NOTES, line):
            yield _finding(place, word, "Write what is meant, or leave it out.")


def _words(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(found[0] for found in pattern.finditer(text)))


def _finding(where: str, word: str, mend: str) -> Finding:
    return Finding(level=Level.ERROR, rule=RULE, where=where, message=f"“{word}” is left over in the mail", mend=mend)
