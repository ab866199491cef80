"""The check of `doctor` on mail outside mailings."""

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery.undo_mails import UndoMails
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.reporting.courtesies import missing_courtesies
from mlgroup_mail.reporting.diagnosis import Examined, Finding, passed, warned
from mlgroup_mail.settings.environment import TransportName
from mlgroup_mail.settings.parts import Parts
from mlgroup_mail.store.upgrade import require_current


def single_mails(examined: Examined) -> Finding:
    """Mails to single people can be made, leave this machine where somebody waits for them, and have gone."""
    project, settings = examined.project, examined.settings
    UndoMails(project).rehearse(project.sender(next(iter(project.file.sender))))
    parts = Parts(project=project, settings=settings, store=examined.store, clock=FixedClock(examined.now))
    terms = parts.join_terms
    if terms:
        parts.join_mails(terms).rehearse()
    missing = _missing(examined)
    if missing:
        return warned("; ".join(missing), "`explain ADDRESS` tells of one person. See docs/opt-outs.md, “Joining”.")
    if terms and settings.transport is TransportName.OUTBOX:
        return warned(
            "people can join, and the mail that asks them goes into the outbox: nobody gets it",
            "Set MLGROUP_TRANSPORT, or take [join] out of mlgroup.toml.",
        )
    return passed("their templates can be used" + ("; people can join" if terms else ""))


def _missing(examined: Examined) -> list[str]:
    if examined.database_is_new:
        return []
    try:
        require_current(examined.store)
    except ConfigurationError:
        return []
    with examined.store.reading() as connection:
        return [str(each) for each in missing_courtesies(connection, now=examined.now)]
