"""empty-audience: a mailing that nobody would get."""

from collections.abc import Iterator

from mlgroup_mail.model.audience import ExclusionReason
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "empty-audience"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error where no recipient is left: because nobody matches, or because all who do are left out."""
    if subject.audience_known and subject.recipients == 0:
        yield Finding(
            level=Level.ERROR,
            rule=RULE,
            where=subject.mailing.audience_place,
            message=_left_out(subject) if any(subject.excluded.values()) else "nobody would get this mailing",
            mend=_mend(subject),
        )


def _left_out(subject: CheckSubject) -> str:
    number = sum(subject.excluded.values())
    all_of_them = "1 person matches, and is left out" if number == 1 else f"{number} people match, and all are left out"
    return f"nobody would get this mailing: {all_of_them}: " + ", ".join(
        f"{count} {_reason(reason, count, subject.campaign.topic)}" for reason, count in subject.excluded.items()
    )


def _reason(reason: ExclusionReason, count: int, topic: str) -> str:
    if reason is ExclusionReason.NOT_SUBSCRIBED:
        return f"{'has' if count == 1 else 'have'} not chosen the topic {topic}"
    return f"({reason.meaning})"


def _mend(subject: CheckSubject) -> str:
    topic = subject.campaign.topic
    if subject.excluded.get(ExclusionReason.NOT_SUBSCRIBED):
        return (
            f"Give them the topic {topic} in the list (the column of topics) and pull it, "
            f"or set default = true for {topic} under [topics] in mlgroup.toml."
        )
    if any(subject.excluded.values()):
        return "See why for one of them: mlgroup-mail explain ADDRESS. Or write to a wider audience."
    return "Pull the list (mlgroup-mail contacts pull), and see whom the audience's segment matches."
