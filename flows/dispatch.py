"""Dispatch: what is approved and due goes out."""

from collections.abc import Sequence
from datetime import datetime

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from pydantic import AwareDatetime

from flows import artifacts, names
from flows.progress import Progress, shown
from flows.project import in_project
from flows.reports import link_reports
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import DeliveryState, MailingRef
from mlgroup_mail.reporting.status import MailingStatus, gone_since, statuses_after, statuses_in_hand
from mlgroup_mail.settings.app import App


@flow(name="dispatch", flow_run_name=names.by_time, retries=0)
async def dispatch(live: bool = True, now: AwareDatetime | None = None) -> State[dict[str, dict[str, int]]]:
    """Plan what is approved and due, and send what is due. Run it again at any time: nobody gets anything twice.

    Without `live` it only shows what is due. `now` stands in for the clock, with the outbox only.
    """
    statuses, hindrance, courtesies = await send(now) if live else (await in_project(_due, now=now), "", 0)
    if statuses:
        await _show(statuses, description="What this run sent, as it stands now" if live else "What is due: a dry run")
    if live:
        await link_reports([status.ref for status in statuses if status.audience], now=now)
    if hindrance:
        return Failed(message=hindrance, data=_numbers(statuses))
    if not statuses and not courtesies:
        return Completed(message="Nothing is due.", data={})
    message = _told(statuses, courtesies)
    return Completed(name=None if live else "Dry run", message=message, data=_numbers(statuses))


# The ledger is the retry queue: a second try of a task could not know what the first one has handed over.
@task(name="send what is due", task_run_name="send what is due", retries=0, cache_policy=NO_CACHE)
async def send(now: datetime | None) -> tuple[list[MailingStatus], str, int]:
    """Send what is due; returns how the mailings stand afterwards, what hindered one of them, if anything did, and how
    many mails to single people were accepted."""
    progress, stop = Progress(), Stop()
    work = in_project(lambda app: _send(app, progress, stop), now=now, stop=stop)
    return await shown(progress, work, key="dispatch-progress", description="Deliveries with an outcome")


def _send(app: App, progress: Progress, stop: Stop) -> tuple[list[MailingStatus], str, int]:
    def count(_: MailingRef, done: int) -> None:
        progress.done += done
        # By its first outcome everything due has been planned, so what is left is known.
        progress.total = progress.total or done + sum(status.left for status in _due(app))

    before = statuses_in_hand(app)
    try:
        result = app.dispatch(progress=count, stop=stop)
    except ConfigurationError as error:
        if gone := gone_since(app, before):
            return gone, str(error.problem), 0
        raise
    # The others had their turn; the run fails, so that somebody looks.
    hindrance = "; ".join(str(error.problem) for error in result.hindered)
    return statuses_after(app, result.refs, before), hindrance, result.courtesies


def _due(app: App) -> list[MailingStatus]:
    return [status for status in statuses_in_hand(app) if status.due]


async def _show(statuses: Sequence[MailingStatus], *, description: str) -> None:
    # Eight columns are wider than Prefect's page: states that hold nobody are left out.
    states = [state for state in DeliveryState if any(status.counts[state] for status in statuses)]
    lines = [[each.ref, each.state, each.audience, *(each.counts[state] for state in states)] for each in statuses]
    await artifacts.show(
        "dispatch",
        artifacts.table(["mailing", "state", "audience", *states], lines),
        artifacts.bullets(f"{status.ref}: {remark}" for status in statuses for remark in status.remarks),
        description=description,
    )


def _told(statuses: Sequence[MailingStatus], courtesies: int) -> str:
    """One line for the list of runs: the states that hold anybody, for each mailing."""
    told = [
        f"{status.ref} {status.state}: "
        + (", ".join(f"{number} {state}" for state, number in status.counts.items() if number) or "not planned yet")
        for status in statuses
    ]
    return "; ".join(told + ([f"mails to single people: {courtesies}"] if courtesies else []))


def _numbers(statuses: Sequence[MailingStatus]) -> dict[str, dict[str, int]]:
    return {str(status.ref): {state.value: number for state, number in status.counts.items()} for status in statuses}
