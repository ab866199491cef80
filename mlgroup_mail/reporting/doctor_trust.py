"""The checks of `doctor` on what live mail rests on: where the ledger lies, how old it is, its clock, the roads."""

from mlgroup_mail.delivery import ledger_file, ledger_witness, roads, wall_clock
from mlgroup_mail.delivery.going_live import PLACE_MEND
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.reporting.diagnosis import Examined, Finding, failed, passed, warned
from mlgroup_mail.settings.environment import TransportName
from mlgroup_mail.store.place import why_unfit
from mlgroup_mail.store.roads import all_roads
from mlgroup_mail.store.upgrade import require_current


def place(examined: Examined) -> Finding:
    """An embedded database lies on this machine's own disk, where nothing else writes."""
    file = examined.database_file
    if file is None:
        return passed("the database is a server's")
    if why := why_unfit(file):
        return warned(f"{file}: {why}; live commands refuse", PLACE_MEND)
    return passed("on this machine's own disk")


def older_copy(examined: Examined) -> Finding:
    """The ledger is the newest that this project has sent from."""
    if unknown := _unknown(examined):
        return unknown
    if ledger_file.warning(examined.project.root, examined.store):
        return warned("not known: this project's live mail is recorded in another ledger", "See the row “ledger”.")
    if why := ledger_witness.older_than_seen(examined.project.root, examined.store):
        return failed(f"{why}; live commands refuse", "See docs/operations.md, “A restored backup”.")
    if ledger_witness.cannot_be_written(examined.project.root):
        return warned(
            f"live commands cannot write {ledger_witness.FOLDER} here: a restored backup would go unnoticed",
            "Let this account write in the project directory.",
        )
    return passed("nothing that live mail was sent by is missing in it")


def ledger_time(examined: Examined) -> Finding:
    """The machine's clock and the ledger's newest times agree."""
    if examined.settings.now:
        return passed("not asked while MLGROUP_NOW holds the time")
    if unknown := _unknown(examined):
        return unknown
    with examined.store.reading() as connection:
        why = wall_clock.doubts(connection, now=examined.now)
    if why:
        leaves = examined.settings.transport is not TransportName.OUTBOX
        return failed(f"{why}; live commands refuse", wall_clock.MEND) if leaves else warned(why, wall_clock.MEND)
    return passed("the clock agrees with what the ledger knows")


def heard_roads(examined: Examined) -> Finding:
    """Every configured road of opt-outs was read within a day."""
    if unknown := _unknown(examined):
        return unknown
    with examined.store.reading() as connection:
        known, silent = all_roads(connection), roads.deaf(connection, now=examined.now)
    if silent:
        return failed(
            f"nothing is sent: {'; '.join(map(roads.told, silent))}",
            "Mend what keeps it from being read, or take it out of the settings where nobody uses it any more.",
        )
    if broken := [road for road in known if road.error]:
        return warned(
            "; ".join(f"the {road.kind} “{road.name}” could not be read: {road.error}" for road in broken),
            "From 24 hours without it on, nothing is sent.",
        )
    if not known:
        return passed("none is configured: opt-outs come by hand and by file")
    return passed(", ".join(f"{road.kind} “{road.name}”" for road in known))


def _unknown(examined: Examined) -> Finding | None:
    """What to say where the ledger cannot be asked; None where it can."""
    if examined.database_is_new:
        return passed("nothing is known yet: the database is made when it is first needed")
    try:
        require_current(examined.store)
    except ConfigurationError:
        return warned("not known while the database does not answer", "Mend the database first.")
    return None
