"""Planning a mailing, or sending it, in a process of its own: when each tenth was done, and the peak memory by then."""

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks import ledgers
from mlgroup_mail.model import MailingRef
from mlgroup_mail.store import Store
from mlgroup_mail.store.contacts import count_contacts
from mlgroup_mail.store.deliveries import to_go
from mlgroup_mail.store.mailings import find_mailing


class Tenths:
    """Seconds since the first news, and megabytes at most, at each tenth of the way."""

    def __init__(self, total: int) -> None:
        self.seconds: list[float] = []
        self.megabytes: list[float] = []
        self._total, self._done, self._first, self._start = total, 0, 0, 0.0

    def more(self, number: int) -> None:
        """Note that so many more are done. What went before the first news, compiling, is no tenth's."""
        now = time.perf_counter()
        self._done += number
        if not self._start:
            self._first, self._start = self._done, now
        while (self._done - self._first) * 10 >= (self._total - self._first) * (len(self.seconds) + 1):
            self._note(now)

    def end(self) -> None:
        """Close the last tenth: a few have opted out since they were counted."""
        del self.seconds[9:], self.megabytes[9:]
        self._note(time.perf_counter())

    def _note(self, now: float) -> None:
        self.seconds.append(now - self._start)
        self.megabytes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


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
    found = send(ledger, mailing_ref, window) if window else plan(ledger, mailing_ref)
    print(json.dumps({"seconds": found.seconds, "megabytes": found.megabytes}))
