"""html-as-text: HTML tags in a text, which readers would see as they are."""

from collections.abc import Iterator

from mlgroup_mail.content.writing.typed_tags import typed_tags
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "html-as-text"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning for the first tag of each line."""
    for text in subject.texts:
        first: dict[str, str] = {}
        for where, tag in typed_tags(text.words):
            first.setdefault(where, tag)
        for where, tag in first.items():
            yield Finding(
                level=Level.WARNING,
                rule=RULE,
                where=where,
                message=f"“{tag}” would be shown as it stands: a text is Markdown, not HTML",
                mend="Write **bold**, *italic* or [words](https://...), and a backslash at the end of a line to break "
                "it. Put `backquotes` around what is to be read as it stands.",
            )
