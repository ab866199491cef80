"""What runs are called in the list of runs, in the group's words."""

from datetime import datetime

from prefect.runtime import flow_run


def by_time() -> str:
    """`dispatch, 2 November 2021, 09:00 UTC`: the time the run was given, else the one it was scheduled for."""
    moment = flow_run.parameters.get("now") or flow_run.scheduled_start_time
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return f"{flow_run.flow_name}, {moment.day} {moment:%B %Y, %H:%M} {moment.tzname()}"


def by_mailing() -> str:
    """`2022-call/reminder-1`; `next newsletter` where the run looks for itself."""
    campaign = flow_run.parameters["campaign"]
    return f"{campaign}/{flow_run.parameters['mailing']}" if campaign else f"next {flow_run.flow_name}"
