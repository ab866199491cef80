"""members-only-link: an address that is for members only, and that anybody may read elsewhere in the text."""

from collections.abc import Iterator

from mlgroup_mail.content.writing.blocks.naming import lines_for_members
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject

RULE = "members-only-link"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each such address: whoever reads the public copy would have it."""
    for text in subject.texts:
        for address in text.leaking_links:
            yield Finding(
                level=Level.ERROR,
                rule=RULE,
                where=_where(text, address),
                message=f"“{address}” is for members only, and the public copy of the text has it too",
                mend="Mark this part as members_only as well, or take the link out of it.",
            )


def _where(text: CheckedText, address: str) -> str:
    """File and line of the first place outside of what is for members; else the text's file."""
    hidden = lines_for_members(text.words)
    for number, line in enumerate(text.words.text.splitlines(), start=text.words.text_line):
        if number not in hidden and address in line:
            return f"{text.words.text_file}, line {number}"
    return text.words.text_file
