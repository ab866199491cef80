"""long-subject: what readers of the list of their mails do not see."""

from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "long-subject"
WARNING_AT = 100
"""Characters: mail programs show the first fifty to seventy."""
ERROR_AT = 900
"""A header's line has 998 at most (RFC 5322, 2.1.1), and some servers unfold."""
_A_VALUE = "some value"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning above 100 characters, an error above 900; each value filled in counts as ten."""
    for text in subject.texts:
        longest = 0
        for variant in text.variants:
            line = variant.subject
            for token in variant.tokens:
                line = line.replace(token, _A_VALUE)
            longest = max(longest, len(line))
        if longest > WARNING_AT:
            yield Finding(
                level=Level.ERROR if longest > ERROR_AT else Level.WARNING,
                rule=RULE,
                where=text.words.places.get("subject", text.words.text_file),
                message=f"the subject has {longest} characters; mail programs show some sixty",
                mend="Say the first thing first, and the rest in the preheader.",
            )
