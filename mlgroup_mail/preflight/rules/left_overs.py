"""left-overs: what was to be filled in before sending."""

import re
from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject

RULE = "left-overs"

# Braces that an editor of texts has torn apart, and fields as other programs write them, are none to Jinja.
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}|\{\s+\{|\}\s+\}|\{\s*(?:recipient|links|group|events)\.\w+\s*\}|<<\w+>>")
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
        for variant, said in text.variants_and_data:
            in_subject = _words(_BRACES, variant.subject)
            # The subject stands above the text too, as its title.
            in_text = [
                mark for mark in _words(_BRACES, variant.text) if mark not in in_subject or mark in text.words.text
            ]
            places = [(text.words.places.get("subject", text.words.text_file), mark) for mark in in_subject]
            places += [(text.place_of(re.escape(mark)), mark) for mark in in_text]
            for place, mark in places:
                if mark not in said:
                    yield _finding(place, mark, _MEND_BRACES)


def _notes(text: CheckedText) -> Iterator[Finding]:
    for place, line in text.words.lines:
        for word in _words(_NOTES, line):
            yield _finding(place, word, "Write what is meant, or leave it out.")


def _words(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(found[0] for found in pattern.finditer(text)))


def _finding(where: str, word: str, mend: str) -> Finding:
    return Finding(level=Level.ERROR, rule=RULE, where=where, message=f"“{word}” is left over in the mail", mend=mend)
