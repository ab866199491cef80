"""Retention: what has been kept for long enough is forgotten."""

from datetime import datetime

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed
from pydantic import AwareDatetime

from flows import artifacts, names
from flows.project import in_project
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.settings.app import App


@flow(name="retention", flow_run_name=names.by_time, retries=0)
async def retention(apply: bool = True, now: AwareDatetime | None = None) -> State[dict[str, int]]:
    """Forget what `[retention]` of mlgroup.toml says is kept no longer; without `apply` it is only counted.

    Running it again does what is left: a run may be cut anywhere. `now` stands in for the clock.
    """
    numbers, periods = await forget(now) if apply else await in_project(_overdue, now=now)
    if not any(numbers.values()):
        return Completed(message="Nothing is kept for too long.", data=numbers)
    await artifacts.show(
        "retention",
        artifacts.table(
            ["record", "kept for", "forgotten" if apply else "overdue"],
            [[kind, periods[kind], number] for kind, number in numbers.items()],
        ),
        description="What this run forgot" if apply else "What is kept for too long: a dry run",
    )
    told = ", ".join(f"{number:,} {kind}" for kind, number in numbers.items() if number)
    return Completed(name=None if apply else "Dry run", message=told, data=numbers)


@task(name="forget what is overdue", task_run_name="forget what is overdue", retries=0, cache_policy=NO_CACHE)
async def forget(now: datetime | None) -> tuple[dict[str, int], dict[str, str]]:
    """Forget it in small steps; a cancelled run ends after the one it is at."""
    stop = Stop()
    return await in_project(lambda app: _forgotten(app, stop), now=now, stop=stop)


def _forgotten(app: App, stop: Stop) -> tuple[dict[str, int], dict[str, str]]:
    found = app.tidy(by="the flow “retention”", stop=stop)
    return {kind.value: number for kind, number in found.numbers.items()}, _periods(app)


def _overdue(app: App) -> tuple[dict[str, int], dict[str, str]]:
    return {kind.value: number for kind, number in app.overdue().numbers.items()}, _periods(app)


def _periods(app: App) -> dict[str, str]:
    return {kind.value: str(period or "ever") for kind, period in app.project.file.retention.periods()}
