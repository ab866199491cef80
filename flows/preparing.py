"""What stands before a mailing: the list, waiting opt-outs, the check, the audience, the plan. Nothing is sent here."""

from dataclasses import dataclass
from datetime import datetime

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows import artifacts
from flows.artifacts import counted
from flows.contact_list import pull_contacts
from flows.opt_outs import import_files
from flows.project import in_project
from mlgroup_mail.errors import NotApprovedError
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.reporting.forecast import forecast
from mlgroup_mail.reporting.status import status_of
from mlgroup_mail.settings.app import App


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Whom a mailing would go to, or has gone to, in numbers; `waiting` says what must happen before it can go."""

    state: MailingState
    recipients: int
    accepted: int
    excluded: dict[str, int]
    remarks: tuple[str, ...]
    waiting: str = ""


async def prepare(ref: MailingRef, now: datetime | None) -> State[dict[str, int]]:
    """Bring the list up to date, check the campaign, and plan the mailing if it is approved.

    Safe to run again: what is planned stays as it is, and what was approved is what goes out. Where the list would
    change too much it stays as it is, everything else goes on with it, and the run fails so that somebody looks.
    """
    stopped = await pull_contacts(now)
    await import_files(now)
    errors, warnings = await check_mailing(str(ref), now)
    if errors:
        numbers = {"errors": errors, "warnings": warnings}
        return Failed(message=f"{ref}: {counted(errors, 'error')} to mend, see “check” under Artifacts", data=numbers)
    plan = await plan_mailing(str(ref), now)
    numbers = {
        "errors": errors,
        "warnings": warnings,
        "recipients": plan.recipients,
        "accepted": plan.accepted,
        "excluded": sum(plan.excluded.values()),
    }
    told = f"{plan.recipients} will get it, {plan.accepted} have it, {numbers['excluded']} are left out"
    if stopped:
        return Failed(message=f"{stopped} {plan.waiting or f'{ref}: {told}'}", data=numbers)
    if plan.waiting:
        return Completed(name="Waiting for approval", message=plan.waiting, data=numbers)
    return Completed(name=plan.state.capitalize(), message=f"{ref}: {told}", data=numbers)


@task(name="check the mailing", task_run_name="check the mailing", retries=0, cache_policy=NO_CACHE)
async def check_mailing(mailing: str, now: datetime | None) -> tuple[int, int]:
    """How many errors and warnings the check finds."""
    ref = MailingRef.parse(mailing)
    findings = await in_project(lambda app: app.check(ref.campaign, ref.mailing), now=now)
    errors = sum(finding.blocks for finding in findings)
    lines = [[each.level, each.rule, each.where, each.message, each.mend] for each in findings]
    await artifacts.show(
        "check",
        artifacts.table(["level", "rule", "where", "what is wrong", "how to mend it"], lines) or "Nothing was found.",
        about=mailing,
        description=f"{mailing}: {counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}",
    )
    return errors, len(findings) - errors


@task(name="plan the mailing", task_run_name="plan the mailing", retries=0, cache_policy=NO_CACHE)
async def plan_mailing(mailing: str, now: datetime | None) -> Plan:
    """Freeze the audience if the mailing is approved; either way, show whom it reaches and whom not, and why."""
    ref = MailingRef.parse(mailing)
    plan = await in_project(lambda app: _plan(app, ref), now=now)
    reached = {"will get it": plan.recipients, "have it": plan.accepted}
    left_out = {f"left out: {reason}": number for reason, number in plan.excluded.items()}
    await artifacts.show(
        "audience",
        f"**{plan.waiting}**" if plan.waiting else "",
        artifacts.table(["", "people"], [*reached.items(), *left_out.items()]),
        artifacts.bullets(plan.remarks),
        about=mailing,
        description=f"Who gets {mailing}, who does not, and why",
    )
    return plan


def _plan(app: App, ref: MailingRef) -> Plan:
    waiting = ""
    try:
        app.plan(ref)
    except NotApprovedError:
        waiting = f"{ref} waits for its approval: mlgroup-mail approve {ref} --by YOUR-NAME"
    found, status = forecast(app, ref), status_of(app, ref)
    return Plan(
        state=status.state,
        recipients=found.recipients,
        accepted=found.accepted,
        excluded={reason.meaning: number for reason, number in found.exclusions.items()},
        remarks=status.remarks,
        waiting=waiting,
    )
