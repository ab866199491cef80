"""Opt-outs that wait as files."""

from datetime import datetime

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import AwareDatetime

from flows import artifacts, names
from flows.project import in_project


@flow(name="opt-outs", flow_run_name=names.by_time, retries=0)
async def opt_outs(now: AwareDatetime | None = None) -> dict[str, int]:
    """Import the files that wait in `contacts/opt-outs/`, each once; running it again changes nothing."""
    return await import_files(now)


@task(name="import waiting opt-outs", task_run_name="import waiting opt-outs", retries=0, cache_policy=NO_CACHE)
async def import_files(now: datetime | None) -> dict[str, int]:
    """Import every waiting file that is new; show what it brought, where anything was."""
    files = await in_project(lambda app: app.import_opt_outs(), now=now)
    fresh = [file for file in files if not file.known]
    if fresh:
        await artifacts.show(
            "opt-outs",
            artifacts.table(
                ["file", "new opt-outs", "rejected rows"],
                [[file.name, file.applied, len(file.rejected)] for file in fresh],
            ),
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
    }
