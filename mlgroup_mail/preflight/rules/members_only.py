"""members-only-link: an address that is for members only, and that anybody may read elsewhere in the text."""

from collections.abc import Iterator

from mlgroup_mail.content.compiling.written_addresses import holds_address
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
                mend="Mark this part as members_only as well, or take the address out of it.",
            )


def _where(text: CheckedText, address: str) -> str:
    """File and line of the first place outside of what is for members; else the text's file."""
    hidden = lines_for_members(text.words)
    own = {f"{text.words.text_file}, line {number}" for number in hidden}
    places = (place for place, line in text.words.lines if place not in own and holds_address(line, address))
    return next(places, text.words.text_file)
