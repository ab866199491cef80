"""empty-audience: a mailing that nobody would get."""

from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "empty-audience"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error where no recipient is left."""
    if subject.audience_known and subject.recipients == 0:
        yield Finding(
            level=Level.ERROR,
            rule=RULE,
            where=subject.mailing.audience_place,
            message="nobody would get this mailing",
            mend="Pull the list (mlgroup-mail contacts pull), and see whom the audience's segment matches.",
        )
