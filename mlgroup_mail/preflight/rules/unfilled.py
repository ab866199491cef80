"""unfilled-fields: a merge field without a default that some recipients have nothing for."""

import re
from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "unfilled-fields"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for each such field: "Dear ," is what they would read."""
    bare = {slot.field for variant in subject.variants for slot in variant.tokens.values() if slot.fallback is None}
    for field in sorted(bare):
        if count := subject.missing.get(field, 0):
            yield Finding(
                level=Level.ERROR,
                rule=RULE,
                where=subject.place_of(rf"\{{\{{-?\s*{re.escape(field)}\b"),
                message=f"{count} of {subject.recipients} recipients have no {field}, and it has no default",
                mend=f'Write {{{{ {field} | default("colleague") }}}}, or fill the field in the list.',
            )
