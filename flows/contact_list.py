"""The contact list, brought up to date."""

from datetime import datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows import artifacts
from flows.project import in_project
from mlgroup_mail.delivery.storing import PullResult


@task(name="pull the contact list", task_run_name="pull the contact list", retries=0, cache_policy=NO_CACHE)
async def pull_contacts(now: datetime | None) -> str:
    """Read, clean and store every source; a source that cannot be used fails the run, and the old list stays.

    It stays as well where too much of it would change: then what is returned says so, and is empty else.
    """
    result = await in_project(lambda app: app.pull(), now=now)
    cleaned, stored = result.cleaned, result.stored
    stopped = _told(result)
    numbers = {
        "rows read": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged with another row": len(cleaned.merged),
        "rows rejected": len(cleaned.rejected),
        "new on the list": stored.added,
        "changed": stored.changed,
        "back on the list": stored.returned,
        "gone from the list": stored.left,
        "opted out by their status": result.opted_out,
        "perhaps moved": result.suspected,
        "erased at their own wish, and still on the list": result.erased,
    }
    rejected = [[row.source, row.row, row.column, row.reason] for row in cleaned.rejected]
    await artifacts.show(
        "contact-list",
        f"**{stopped}**" if stopped else "",
        artifacts.table(["", "number"], [[what, number] for what, number in numbers.items() if number]),
        artifacts.table(["source", "row", "column", "why it was rejected"], rejected),
        description="The contact list as this run found it" + (", not stored" if stopped else ""),
    )
    if stopped:
        get_run_logger().warning(stopped)
    return stopped


def _told(result: PullResult) -> str:
    if result.stop is None:
        return ""
    affected = result.stored.left + result.stored.changed
    return (
        f"The list was not stored: {affected} of {result.stop.people} people would leave it or change. "
        "Look at its sources; if they are right: mlgroup-mail contacts pull --accept-changes"
    )
