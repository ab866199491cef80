"""All rules, and the one function that asks them."""

from collections.abc import Callable, Iterable

from mlgroup_mail.errors import Collected
from mlgroup_mail.preflight.findings import Finding, errors_first, finding_of
from mlgroup_mail.preflight.rules import (
    answers,
    audience,
    campaign_id,
    canaries,
    changed_events,
    invitation,
    language,
    left_overs,
    links,
    members_only,
    schedule,
    size,
    subject_line,
    translations,
    typed_tags,
    unfilled,
    unmet_words,
)
from mlgroup_mail.preflight.subject import CheckSubject

Rule = Callable[[CheckSubject], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    unfilled.check,
    left_overs.check,
    audience.check,
    unmet_words.check,
    answers.check,
    campaign_id.check,
    canaries.check,
    links.check,
    members_only.check,
    schedule.check,
    size.check,
    subject_line.check,
    language.check,
    translations.check,
    changed_events.check,
    typed_tags.check,
    invitation.check,
)


def check(subject: CheckSubject) -> tuple[Finding, ...]:
    """What the rules find in one mailing, errors first, each thing once.

    A text that a rule cannot read is a finding too.
    """
    found: dict[Finding, None] = {}
    unreadable = Collected()
    for rule in RULES:
        with unreadable:
            for finding in rule(subject):
                found[finding] = None
    found |= dict.fromkeys(map(finding_of, unreadable.problems))
    return errors_first(found)
