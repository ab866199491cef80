"""How far a dispatch has come: counted in the thread that sends, shown by the event loop that waits for it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

T = TypeVar("T")

_EVERY_SECONDS = 1.0


@dataclass(kw_only=True, slots=True)
class Progress:
    """Deliveries with an outcome, and how many there are to be."""

    done: int = 0
    total: int = 0

    @property
    def percent(self) -> float:
        """0 to 100."""
        return 100.0 * min(1.0, self.done / self.total) if self.total else 0.0


async def shown(progress: Progress, work: Awaitable[T], *, key: str, description: str) -> T:
    """Await `work` while a progress artifact follows; where there is nothing to do, there is no artifact."""
    running = asyncio.ensure_future(work)
    artifact = None
    while not running.done():
        await asyncio.wait({running}, timeout=_EVERY_SECONDS)
        if artifact:
            await aupdate_progress_artifact(artifact, progress.percent)
        elif progress.done:
            artifact = await acreate_progress_artifact(progress.percent, key=key, description=description)
    return await running
