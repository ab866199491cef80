"""How far a dispatch has come: counted in the thread that sends, shown by the event loop that waits for it."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from mlgroup_mail.progress import in_words

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
    """Await `work` while a progress artifact follows; where there is nothing to do, there is no artifact.

    Beside the bar stand how many, how fast, and how long it may still take: the time of planning does not count.
    """
    running = asyncio.ensure_future(work)
    artifact, begun = None, time.monotonic()
    while not running.done():
        await asyncio.wait({running}, timeout=_EVERY_SECONDS)
        if not progress.done:
            begun = time.monotonic()
            continue
        told = f"{description}: {in_words(progress.done, progress.total, time.monotonic() - begun)}"
        if artifact:
            await aupdate_progress_artifact(artifact, progress.percent, description=told)
        else:
            artifact = await acreate_progress_artifact(progress.percent, key=key, description=told)
    return await running
