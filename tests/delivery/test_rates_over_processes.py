"""Several real processes, one of them killed in the middle, together keep the rate; a minute lasts two seconds here."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.clock import FixedClock, boot_seconds
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.model import Message, Outcome
from mlgroup_mail.store import Store, rates
from mlgroup_mail.store.claims import Claims
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.rates import Rates
from tests.delivery.ledgers import RecordingTransport, counts, merge
from tests.factories import NOON, make_store, planned_mailing, reread

PEOPLE = 60
MINUTE = 2.0
LIMITS = Rates(per_minute=20, domains={"office1.example": 4})
BUSY = "@office1.example"


class Sink(RecordingTransport):
    """Writes down when each message begins and to whom; may kill its own process after so many."""

    def __init__(self, log: Path, *, dies_after: int) -> None:
        super().__init__()
        self._log = log.open("ab", buffering=0)
        self._dies_after = dies_after

    def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
        outcome = super()._send(message, may_begin)
        self._log.write(f"{boot_seconds()} {message.address}\n".encode())
        if len(self.begun) == self._dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome


def work(url: str, state: Path, log: Path, dies_after: int) -> None:
    """One process that sends what is due until nothing is."""
    rates.MINUTE = MINUTE
    with closing(Store(url, state=state)) as store:
        with store.reading() as connection:
            (batch,) = batches_of(connection, reread(store))
        with ownership(store, FixedClock(NOON)) as owner:
            claims = Claims(store, owner, transport="smtp", restrictions=restrictions, rates=LIMITS)
            sink = Sink(log, dies_after=dies_after)
            clock = FixedClock(NOON)
            while wait := dispatch(
                batch, claims=claims, merge=merge, transport=sink, clock=clock, progress=lambda _: None, stop=Stop()
            ):
                time.sleep(min(wait.seconds, 0.2))


def most_in_a_minute(moments: list[float]) -> int:
    return max(sum(start <= moment < start + MINUTE for moment in moments) for start in moments)


@pytest.mark.parametrize("server", [False, True], ids=["SQLite", "PostgreSQL"])
def test_together_they_keep_the_rate_and_nobody_gets_two(
    tmp_path: Path, request: pytest.FixtureRequest, server: bool
) -> None:
    url = request.getfixturevalue("postgres_url") if server else f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(make_store(tmp_path, url)) as store:
        planned_mailing(store, PEOPLE)
        spawn, log = multiprocessing.get_context("spawn"), tmp_path / "log"
        processes = [spawn.Process(target=work, args=(url, tmp_path, log, dies_after)) for dies_after in (5, 0, 0)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        assert [process.exitcode for process in processes] == [-signal.SIGKILL, 0, 0]
        found = [line.split() for line in log.read_text().splitlines()]
        moments = [(float(moment), address) for moment, address in found]
        assert max(Counter(address for _, address in moments).values()) == 1
        assert most_in_a_minute([moment for moment, _ in moments]) <= 20
        assert most_in_a_minute([moment for moment, address in moments if address.endswith(BUSY)]) <= 4
        done = counts(store)
        assert done["accepted"] + done["attempting"] == PEOPLE
        assert done["attempting"] <= 2, "the window that was open when one was killed"
