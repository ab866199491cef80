"""nobody-has: a word of the audience's rule that nobody on the list answers to."""

from collections.abc import Iterator

from mlgroup_mail import addresses
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject, UnmetWord

RULE = "nobody-has"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning for each: a word misspelt lets the wrong people in, or leaves the right ones out."""
    if subject.over:
        return
    for unmet in subject.unmet:
        yield Finding(
            level=Level.WARNING,
            rule=RULE,
            where=unmet.where,
            message=f"nobody on the list has {unmet.key} = “{_shown(unmet)}”",
            mend="See how it is spelt on the list (mlgroup-mail contacts segment), or take it out of the rule.",
        )


def _shown(unmet: UnmetWord) -> str:
    """The word; of a person's own name or address only what may stand in a log."""
    if unmet.key in {"name", "first_name", "id"}:
        return addresses.mask_name(unmet.word)
    return addresses.mask_text(unmet.word)
