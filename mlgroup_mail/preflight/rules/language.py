"""footer-language: the footer's words exist in English only."""

from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "footer-language"
FOOTERS = frozenset({"en"})
"""The languages in which the shipped templates speak."""


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning where the text's language is another one."""
    language = subject.campaign.language
    if language.partition("-")[0].lower() not in FOOTERS:
        yield Finding(
            level=Level.WARNING,
            rule=RULE,
            where=subject.campaign.file,
            message=f"the text is in “{language}”, its footer will be in English",
            mend="Copy templates/partials/footer.mjml.j2 and footer.txt.j2 into the project and translate them.",
        )
