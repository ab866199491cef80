"""All rules, and the one function that asks them."""

from collections.abc import Callable, Iterable

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.rules import (
    answers,
    audience,
    changed_events,
    language,
    left_overs,
    links,
    members_only,
    schedule,
    size,
    subject_line,
    translations,
    unfilled,
)
from mlgroup_mail.preflight.subject import CheckSubject

Rule = Callable[[CheckSubject], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    unfilled.check,
    left_overs.check,
    audience.check,
    answers.check,
    links.check,
    members_only.check,
    schedule.check,
    size.check,
    subject_line.check,
    language.check,
    translations.check,
    changed_events.check,
)


def check(subject: CheckSubject) -> tuple[Finding, ...]:
    """What the rules find in one mailing, errors first, each thing once."""
    found = dict.fromkeys(finding for rule in RULES for finding in rule(subject))
    return tuple(sorted(found, key=lambda finding: finding.level is not Level.ERROR))
