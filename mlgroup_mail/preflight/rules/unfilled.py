"""unfilled-fields: a merge field without a default that some recipients have nothing for."""

import re
from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "unfilled-fields"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each such field of each text: "Dear ," is what its readers would see."""
    for text in subject.texts:
        bare = {slot.field for variant in text.variants for slot in variant.tokens.values() if slot.fallback is None}
        for field in sorted(bare):
            if count := text.missing.get(field, 0):
                yield Finding(
                    level=Level.ERROR,
                    rule=RULE,
                    where=text.place_of(rf"\{{\{{-?\s*{re.escape(field)}\b"),
                    message=f"{count} of {text.recipients} recipients have no {field}, and it has no default",
                    mend=f'Write {{{{ {field} | default("colleague") }}}}, or fill the field in the list.',
                )
