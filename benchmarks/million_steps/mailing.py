"""Planning a mailing, or sending it, in a process of its own: when each tenth was done, and its memory by then."""

import json
import sys
import time
from pathlib import Path

import psutil

from benchmarks import ledgers
from mlgroup_mail.model import MailingRef
from mlgroup_mail.store import Store
from mlgroup_mail.store.contacts import count_contacts
from mlgroup_mail.store.deliveries import to_go
from mlgroup_mail.store.mailings import find_mailing


class Tenths:
    """Seconds since the first news, those of the processor, and megabytes, at each tenth of the way."""

    def __init__(self, total: int) -> None:
        self.seconds: list[float] = []
        self.busy: list[float] = []
        self.megabytes: list[float] = []
        self._total, self._done, self._first = total, 0, 0
        self._start = self._busy_before = 0.0
        self._process = psutil.Process()

    def more(self, number: int) -> None:
        """Note that so many more are done. What went before the first news, compiling, is no tenth's."""
        self._done += number
        if not self._start:
            self._first, self._start, self._busy_before = self._done, time.perf_counter(), time.process_time()
        while (self._done - self._first) * 10 >= (self._total - self._first) * (len(self.seconds) + 1):
            self._note()

    def end(self) -> None:
        """Close the last tenth: a few have opted out since they were counted."""
        del self.seconds[9:], self.busy[9:], self.megabytes[9:]
        self._note()

    def _note(self) -> None:
        self.seconds.append(time.perf_counter() - self._start)
        self.busy.append(time.process_time() - self._busy_before)
        # Not the most it ever had: a process begins with what the one that started it had.
        self.megabytes.append(self._process.memory_info().rss / 1e6)


def plan(store: Store, ref: MailingRef) -> Tenths:
    """Plan an approved mailing."""
    with store.reading() as connection:
        tenths = Tenths(count_contacts(connection))
    before = 0

    def tell(done: int, _: int) -> None:
        nonlocal before
        tenths.more(done - before)
        before = done

    ledgers.plan(store, ref, progress=tell)
    tenths.end()
    return tenths


def send(store: Store, ref: MailingRef, window: int) -> Tenths:
    """Send a planned mailing."""
    with store.reading() as connection:
        mailing = find_mailing(connection, ref)
        assert mailing is not None
        tenths = Tenths(sum(to_go(connection, mailing.mailing_id).domains.values()))
    ledgers.send(store, ref, window, progress=tenths.more)
    tenths.end()
    return tenths


if __name__ == "__main__":
    ledger, mailing_ref = ledgers.open_ledger(Path(sys.argv[1])), MailingRef.parse(sys.argv[2])
    window = int(sys.argv[3])
    begun = time.perf_counter()
    found = send(ledger, mailing_ref, window) if window else plan(ledger, mailing_ref)
    whole = time.perf_counter() - begun
    print(json.dumps({"whole": whole, "seconds": found.seconds, "busy": found.busy, "megabytes": found.megabytes}))
