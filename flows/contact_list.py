"""The contact list, brought up to date."""

from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import artifacts
from flows.project import in_project


@task(name="pull the contact list", task_run_name="pull the contact list", retries=0, cache_policy=NO_CACHE)
async def pull_contacts(now: datetime | None) -> dict[str, int]:
    """Read, clean and store every source; a source that cannot be used fails the run, and the old list stays."""
    result = await in_project(lambda app: app.pull(), now=now)
    cleaned, stored = result.cleaned, result.stored
    numbers = {
        "rows read": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged with another row": cleaned.merged,
        "rows rejected": len(cleaned.rejected),
        "new on the list": stored.added,
        "changed": stored.changed,
        "back on the list": stored.returned,
        "gone from the list": stored.left,
        "opted out by their status": result.opted_out,
    }
    rejected = [[row.source, row.row, row.column, row.reason] for row in cleaned.rejected]
    await artifacts.show(
        "contact-list",
        artifacts.table(["", "number"], [[what, number] for what, number in numbers.items() if number]),
        artifacts.table(["source", "row", "column", "why it was rejected"], rejected),
        description="The contact list as this run found it",
    )
    return numbers
