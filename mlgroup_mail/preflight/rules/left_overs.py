"""left-overs: what was to be filled in before sending."""

import re
from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "left-overs"

_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
# In capitals only: "todo" is an ordinary word in Spanish and Portuguese.
_NOTES = re.compile(r"\b(?:TODO|TBC|TBD|TBA|FIXME|XXX+)\b|\b[Ll]orem ipsum\b")


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each kind of left-over in subject, preheader or text."""
    mailing = subject.mailing
    heads = {"subject": mailing.subject, "preheader": mailing.preheader}
    if mailing.title != mailing.subject:
        heads["title"] = mailing.title
    for name, text in heads.items():
        for word in _words(_NOTES, text):
            yield _finding(mailing.places[name], word, "Write what is meant, or leave it out.")
    for number, line in enumerate(mailing.text.splitlines(), start=mailing.text_line):
        for word in _words(_NOTES, line):
            yield _finding(f"{mailing.text_file}, line {number}", word, "Write what is meant, or leave it out.")
    for variant in subject.variants:
        for mark in _words(_BRACES, f"{variant.subject}\n{variant.text}"):
            yield _finding(subject.place_of(re.escape(mark)), mark, "Close the braces, or take them away.")


def _words(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(found[0] for found in pattern.finditer(text)))


def _finding(where: str, word: str, mend: str) -> Finding:
    return Finding(level=Level.ERROR, rule=RULE, where=where, message=f"“{word}” is left over in the mail", mend=mend)
