"""event-changed: an event of which an earlier mailing said something else."""

import re
from collections.abc import Iterator

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "event-changed"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning for each: whoever has it in a calendar will see that it moved, and should read why."""
    if subject.over:
        return
    for changed in subject.changed_events:
        event = changed.event
        named = subject.mailing.event == event.id
        *first, last = changed.facts
        facts = f"{', '.join(first)} and {last}" if first else last
        before = "; ".join(text or f"no {fact}" for fact, text in changed.facts.items())
        yield Finding(
            level=Level.WARNING,
            rule=RULE,
            where=subject.mailing.event_place if named else subject.original.place_of(re.escape(event.id)),
            message=f"“{event.title}” was announced with another {facts} "
            f"in {changed.announced_by} on {changed.announced_at:%Y-%m-%d} ({before})",
            mend="Say in the text what has changed, or mend the event in campaigns/events.yaml.",
        )
