"""The monthly newsletter."""

from prefect import State, flow
from prefect.states import Completed
from pydantic import AwareDatetime

from flows import names
from flows.preparing import prepare
from flows.project import in_project
from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.reporting.status import all_statuses
from mlgroup_mail.settings.app import App

_OVER = frozenset({MailingState.FINISHED, MailingState.CANCELLED})


@flow(name="newsletter", flow_run_name=names.by_mailing, retries=0)
async def newsletter(
    campaign: str | None = None, mailing: str = "issue", now: AwareDatetime | None = None
) -> State[dict[str, int]]:
    """Get a newsletter ready: list, opt-outs, check, and its plan once somebody has approved it. Sends nothing.

    Without a `campaign` it takes the newsletter that is next. `now` stands in for the clock, with the outbox only.
    """
    ref = MailingRef.parse(f"{campaign}/{mailing}") if campaign else await in_project(_next, now=now)
    if ref is None:
        return Completed(message="No newsletter is to come: mlgroup-mail new newsletter ID", data={})
    return await prepare(ref, now)


def _next(app: App) -> MailingRef | None:
    """The first mailing of a newsletter that is not over yet."""
    now = app.clock.now()
    to_come = (each.ref for each in all_statuses(app) if each.state not in _OVER and now < each.stop_at)
    return next((ref for ref in to_come if read_campaign(app.project, ref.campaign).kind == "newsletter"), None)
