"""The demonstration: the flows on a sample project, a Prefect server of their own, the clock at each mailing's time.

Run as `python -m flows.demo DIR` by `mlgroup-mail demo`. Standard output is one JSON object; standard error names
each step as it begins and ends, and what went wrong.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.demo_summary import contacts, outcome
from mlgroup_mail.errors import ConfigurationError, MailError
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.reporting.status import status_of

NEWSLETTER = MailingRef("2021-10-newsletter", "issue")
CALL = MailingRef("2022-call", "invitation")


def main() -> int:
    """Run the demonstration in the directory that the command line names; returns the exit code."""
    root = Path(sys.argv[1]).resolve()
    _stand_alone(root)
    try:
        summary = asyncio.run(_demonstrate())
    except (MailError, ConfigurationError) as error:
        print(error.problem, file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1
    json.dump(summary | {"project": str(root), "outbox": str(root / "var" / "outbox")}, sys.stdout, indent=2)
    return 0


def _stand_alone(root: Path) -> None:
    """Nothing that the caller has set up takes part: no real server, no real transport, no other project."""
    for name in list(os.environ):
        if name.startswith(("MLGROUP_", "PREFECT_")):
            del os.environ[name]
    home = root / "var" / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "MLGROUP_PROJECT": str(root),
        "MLGROUP_TRANSPORT": "outbox",
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Making its database takes 10 seconds on a good machine, and the default patience is 20.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
    }
    # Prefect reads a prefect.toml of the current directory, and so would be set up by the caller's.
    os.chdir(root)


async def _demonstrate() -> dict[str, Any]:
    seconds: dict[str, float] = {}
    with _timed(seconds, "Prefect starts"):
        from prefect import get_client

        from flows.call_for_proposals import call_for_proposals
        from flows.newsletter import newsletter
        from flows.opt_outs import opt_outs
        from flows.project import in_project

        async with get_client() as client:
            await client.hello()

    times = await in_project(lambda app: {ref: status_of(app, ref).send_at for ref in (NEWSLETTER, CALL)}, now=None)
    with _timed(seconds, "opt-outs"):
        imported = await opt_outs(now=times[NEWSLETTER])
    mailings = [
        await _mail(ref, flow, times[ref], seconds)
        for ref, flow in ((NEWSLETTER, newsletter), (CALL, call_for_proposals))
    ]
    return {
        "contacts": await in_project(contacts, now=times[CALL]),
        "opt_outs": imported,
        "mailings": mailings,
        "seconds": seconds,
    }


async def _mail(ref: MailingRef, prepare: Any, at: datetime, seconds: dict[str, float]) -> dict[str, Any]:
    """Prepare, approve as a person would, plan, send; a second time there is nothing left to do."""
    from flows.dispatch import dispatch
    from flows.project import in_project

    with _timed(seconds, f"{ref}: list, opt-outs, check"):
        state = await prepare(campaign=ref.campaign, mailing=ref.mailing, now=at, return_state=True)
        if state.is_failed():
            raise MailError(state.message)
    before = await in_project(lambda app: status_of(app, ref), now=at)
    with _timed(seconds, f"{ref}: approve, plan"):
        if before.state is MailingState.DRAFT:
            await in_project(lambda app: app.approve(ref, by="demonstration"), now=at)
        await prepare(campaign=ref.campaign, mailing=ref.mailing, now=at)
    with _timed(seconds, f"{ref}: dispatch"):
        await dispatch(now=at)
    return await in_project(lambda app: outcome(app, before), now=at)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    begun = time.perf_counter()
    print(f"{step} ...", file=sys.stderr, flush=True)
    yield
    seconds[step] = round(time.perf_counter() - begun, 2)
    print(f"{step}: {seconds[step]:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
