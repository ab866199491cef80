"""answers-in-doubt, answers-to-come: an audience of whom another mailing was accepted for, while that may change."""

from collections.abc import Iterator

from mlgroup_mail.model.delivery import DeliveryState
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning for those who may have that mailing without its being known, and for those who may yet get it."""
    if subject.over:
        return
    for ref, states in subject.asked.items():
        if uncertain := states[DeliveryState.UNCERTAIN]:
            yield Finding(
                level=Level.WARNING,
                rule="answers-in-doubt",
                where=subject.mailing.audience_place,
                message=f"{_people(uncertain)} may or may not have got {ref}: it does not count as accepted for them",
                mend=f"See `log {ref}`, and settle them with `resolve {ref}`.",
            )
        if still_open := sum(number for state, number in states.items() if state.open):
            yield Finding(
                level=Level.WARNING,
                rule="answers-to-come",
                where=subject.mailing.audience_place,
                message=f"{_people(still_open)} may still get {ref}: whoever gets it later is not in this audience",
                mend=f"Let {ref} finish first, or cancel it.",
            )


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
