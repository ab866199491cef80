"""html-size: Gmail cuts a page off above 102 kB, and the way out stands at its end."""

from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "html-size"
WARNING_AT = 90_000
ERROR_AT = 100_000
"""Bytes of a variant's HTML."""


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning from 90 kB, an error from 100 kB."""
    for text in subject.texts:
        size = max((len(variant.html.encode()) for variant in text.variants), default=0)
        if size >= WARNING_AT:
            yield Finding(
                level=Level.ERROR if size >= ERROR_AT else Level.WARNING,
                rule=RULE,
                where=text.words.text_file,
                message=f"the HTML has {size // 1000} kB; Gmail cuts a mail off above 102 kB",
                mend="Shorten the text, or move a part of it to a page and link that.",
            )
