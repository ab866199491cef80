"""The annual call for proposals: its invitation, reminders and programme."""

from prefect import State, flow
from pydantic import AwareDatetime

from flows import names
from flows.preparing import prepare
from mlgroup_mail.model import MailingRef


@flow(name="call-for-proposals", flow_run_name=names.by_mailing, retries=0)
async def call_for_proposals(campaign: str, mailing: str, now: AwareDatetime | None = None) -> State[dict[str, int]]:
    """Get one mailing of a call ready: list, opt-outs, check, and its plan once it is approved. Sends nothing.

    `now` stands in for the clock, with the outbox only.
    """
    return await prepare(MailingRef.parse(f"{campaign}/{mailing}"), now)
