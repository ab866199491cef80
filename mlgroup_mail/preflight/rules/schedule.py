"""stop-before-send, past-send-at, past-stop-at, far-send-at: the mailing's own times."""

from collections.abc import Iterator
from datetime import timedelta

from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

_FAR = timedelta(days=2 * 365 + 1)
"""Whatever is due later than this was most likely given a wrong year."""


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error where the stop is not after the sending time; a warning where the real clock is past either, or where
    the year is most likely a slip.

    What has gone out, or was cancelled, needs no warning.
    """
    mailing = subject.mailing
    if mailing.stop_at <= mailing.send_at:
        yield Finding(
            level=Level.ERROR,
            rule="stop-before-send",
            where=mailing.stop_place,
            message=f"stop_at ({mailing.stop_wall}) is not after send_at ({mailing.send_wall})",
            mend="Give a later stop_at, or leave it out: it is 48 hours after send_at then.",
        )
    elif subject.over:
        return
    elif mailing.stop_at <= subject.clock:
        yield Finding(
            level=Level.WARNING,
            rule="past-stop-at",
            where=mailing.send_place,
            message=f"the time to send this is over: it was {mailing.send_wall}",
            mend="Set a new send_at, or send it with --late REASON, which gives it 48 hours.",
        )
    elif mailing.send_at <= subject.clock:
        yield Finding(
            level=Level.WARNING,
            rule="past-send-at",
            where=mailing.send_place,
            message=f"send_at ({mailing.send_wall}) has passed: this goes out at once when it is approved",
            mend="Set a later send_at where that is not meant.",
        )
    elif mailing.send_at > subject.clock + _FAR:
        yield Finding(
            level=Level.WARNING,
            rule="far-send-at",
            where=mailing.send_place,
            message=f"send_at ({mailing.send_wall}) is more than two years ahead",
            mend="Look at the year.",
        )
