"""`doctor`: what is set up, what answers, what is missing. It asks, and changes nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from mlgroup_mail.errors import ConfigurationError, MailError, Problem
from mlgroup_mail.reporting import (
    doctor_courtesies,
    doctor_files,
    doctor_pages,
    doctor_sendgrid,
    doctor_services,
    doctor_trust,
)
from mlgroup_mail.reporting.diagnosis import Check, Examined, Finding, Result, passed, warned
from mlgroup_mail.settings.environment import Settings, read_settings
from mlgroup_mail.settings.parts import make_store
from mlgroup_mail.settings.project import Project, read_project
from mlgroup_mail.settings.slips import slips

Ask = Callable[[Examined], Finding | None]
"""A check; None where there is nothing to say."""

CHECKS: Sequence[tuple[str, Ask]] = (
    ("contact list", doctor_files.contact_list),
    ("templates", doctor_files.templates),
    ("campaigns", doctor_files.campaigns),
    ("senders", doctor_files.senders),
    ("secrets file", doctor_files.secrets_file),
    ("state", doctor_files.private_state),
    ("opt-out keys", doctor_services.opt_out_keys),
    ("erasure key", doctor_services.erasure_key),
    ("database", doctor_services.database),
    ("place", doctor_trust.place),
    ("ledger", doctor_services.ledger),
    ("older copy", doctor_trust.older_copy),
    ("transport", doctor_services.transport),
    ("SendGrid key", doctor_sendgrid.key),
    ("SendGrid senders", doctor_sendgrid.senders),
    ("SendGrid tracking", doctor_sendgrid.tracking),
    ("SendGrid lists", doctor_sendgrid.suppressions),
    ("allow-list", doctor_services.allow_list),
    ("opt-out page", doctor_pages.opt_out_page),
    ("roads", doctor_trust.heard_roads),
    ("single mails", doctor_courtesies.single_mails),
    ("clock", doctor_services.clock),
    ("ledger's time", doctor_trust.ledger_time),
    ("schedules", doctor_services.schedules),
)


def diagnose(root: Path, *, now: datetime, further: Sequence[tuple[str, Ask]] = ()) -> list[Check]:
    """Ask every check about the project at `root`, and `further` ones of rooms that this one does not know.

    What is broken is a failed check, never an exception.
    """
    checks: list[Check] = []
    project = settings = store = None
    try:
        project = read_project(root.resolve())
        checks.append(Check(name="project", finding=_project(project)))
        settings = read_settings(project.root, project.file.settings)
        checks.append(Check(name="settings", finding=_settings(project, settings)))
        store = make_store(project, settings)
    except ConfigurationError as error:
        name = "database" if settings else "settings" if project else "project"
        checks.append(Check(name=name, finding=Finding.of(error.problem)))
    if project is None or settings is None or store is None:
        return checks
    try:
        examined = Examined(project=project, settings=settings, store=store, now=now)
        return [*checks, *_asked(examined, [*CHECKS, *further])]
    finally:
        store.close()


def _asked(examined: Examined, checks: Iterable[tuple[str, Ask]]) -> Iterator[Check]:
    for name, check in checks:
        try:
            finding = check(examined)
        except (ConfigurationError, MailError) as error:
            finding = Finding.of(error.problem)
        if finding:
            yield Check(name=name, finding=finding)


def something_failed(checks: Sequence[Check]) -> bool:
    """Whether any check failed; warnings do not count."""
    return any(check.finding.result is Result.FAIL for check in checks)


def _project(project: Project) -> Finding:
    return passed(f"{project.group.name}: {len(project.topics)} topics, {len(project.file.sender)} senders")


def _settings(project: Project, settings: Settings) -> Finding:
    found = f"transport {settings.transport}, environment {settings.environment}"
    if slipped := slips(project.root, project.file.settings):
        told = "; ".join(str(Problem(message=each.message, where=each.where)) for each in slipped)
        return warned(f"{found}; {told}", " ".join(dict.fromkeys(each.mend for each in slipped)))
    return passed(found)
