"""Opt-outs that wait as files."""

from datetime import datetime

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import AwareDatetime

from flows import artifacts, names
from flows.project import in_project


@flow(name="opt-outs", flow_run_name=names.by_time, retries=0)
async def opt_outs(now: AwareDatetime | None = None) -> dict[str, int]:
    """Import the files that wait in `contacts/opt-outs/`, each once, and look for bursts; safe to run again."""
    numbers = await import_files(now)
    return numbers | await look_for_bursts(now)


# Each attempt is durable before it begins: who may have been asked is not asked again.
@task(name="look for bursts", task_run_name="look for bursts", retries=0, cache_policy=NO_CACHE)
async def look_for_bursts(now: datetime | None) -> dict[str, int]:
    """Flag opt-outs that a mail gateway may have clicked, and ask their readers; show how many, where any were."""
    found = await in_project(lambda app: app.look_for_bursts(), now=now)
    if found.flagged:
        await artifacts.show(
            "bursts",
            f"{found.flagged} opt-outs came within minutes of a mailing's arrival at one domain: perhaps a mail "
            f"gateway that presses links. They hold; {found.asked} readers were asked by mail whether it was they.",
            description="Opt-outs that a mail gateway may have clicked",
        )
    return {"bursts_flagged": found.flagged, "readers_asked": found.asked}


@task(name="import waiting opt-outs", task_run_name="import waiting opt-outs", retries=0, cache_policy=NO_CACHE)
async def import_files(now: datetime | None) -> dict[str, int]:
    """Import every waiting file that is new; show what it brought, where anything was."""
    files = await in_project(lambda app: app.import_opt_outs(), now=now)
    fresh = [file for file in files if not file.known]
    if fresh:
        await artifacts.show(
            "opt-outs",
            artifacts.table(
                ["file", "new opt-outs", "rejected rows", "passed over: they want mail"],
                [[file.name, file.applied, len(file.rejected), file.passed_over] for file in fresh],
            ),
            artifacts.bullets(f"{file.name} was refused: {file.refused}" for file in fresh if file.refused),
            artifacts.bullets(
                f"{file.name}, row {row.row}: {row.reason}" for file in fresh for row in (*file.rejected, *file.noted)
            ),
            description="Opt-out files that this run imported",
        )
    return {
        "files": len(fresh),
        "known_files": len(files) - len(fresh),
        "new_opt_outs": sum(file.applied for file in fresh),
        "rejected_rows": sum(len(file.rejected) for file in fresh),
        "passed_over": sum(file.passed_over for file in fresh),
        "refused_files": sum(bool(file.refused) for file in fresh),
    }
