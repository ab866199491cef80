"""SendGrid's suppression lists, read and kept in step."""

from dataclasses import asdict
from datetime import datetime

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed
from pydantic import AwareDatetime

from flows import artifacts, names
from flows.project import in_project


@flow(name="provider-lists", flow_run_name=names.by_time, retries=0)
async def provider_lists(now: AwareDatetime | None = None) -> State[dict[str, int]]:
    """Read what is new on SendGrid's lists, and write to them where that is set. Run it again at any time.

    Where the settings ask for neither it does nothing. `now` stands in for the clock, with the outbox only.
    """
    if not await in_project(lambda app: app.keeps_provider_lists, now=now):
        return Completed(message="Switched off: see MLGROUP_SENDGRID_PULL in docs/settings.md.", data={})
    return Completed(message="The lists are read.", data=await pull(now))


# What was read is noted list by list: the next run goes on where this one stops.
@task(name="read SendGrid's lists", task_run_name="read SendGrid's lists", retries=0, cache_policy=NO_CACHE)
async def pull(now: datetime | None) -> dict[str, int]:
    """Read the lists; show what they brought, where anything was."""
    pulled = asdict(await in_project(lambda app: app.keep_provider_lists(), now=now))
    lines = [[what.replace("_", " "), number] for what, number in pulled.items() if number]
    if any(number for what, number in pulled.items() if what != "entries"):
        await artifacts.show(
            "provider-lists", artifacts.table(["", "number"], lines), description="What SendGrid's lists brought"
        )
    return pulled
