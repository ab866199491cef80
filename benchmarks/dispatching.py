"""The ledger's share: dispatch with a transport that only counts, on SQLite with full durability."""

import tempfile
from pathlib import Path

from benchmarks import ledgers
from benchmarks.measuring import ROUNDS, Figure, Way, compare
from mlgroup_mail.model import Contact, MailingRef

PEOPLE = 4000


def run() -> list[Figure]:
    """People planned a second, and deliveries dispatched a second with windows of 2 (SMTP) and 20."""
    with tempfile.TemporaryDirectory() as name:
        bench = _Bench(Path(name))
        return compare(
            [
                Way(name="people planned", count=PEOPLE, work=lambda: bench.plan("small")),
                Way(name="deliveries, windows of 20", count=PEOPLE, work=lambda: bench.send("small", 20)),
                Way(name="people planned, again", count=PEOPLE, work=lambda: bench.plan("large")),
                Way(name="deliveries, windows of 2", count=PEOPLE, work=lambda: bench.send("large", 2)),
            ]
        )


class _Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        people = [Contact(address=f"person{number}@example.org", source="all") for number in range(PEOPLE)]
        self.source = ledgers.make_ledger(folder, people)
        self.store = ledgers.open_ledger(folder)
        self.rounds = {"small": 0, "large": 0}

    def plan(self, name: str) -> None:
        self.rounds[name] += 1
        ledgers.approve(self.store, self.folder, self.source, self._ref(name))
        ledgers.plan(self.store, self._ref(name))

    def send(self, name: str, window: int) -> None:
        ledgers.send(self.store, self._ref(name), window)

    def _ref(self, name: str) -> MailingRef:
        assert self.rounds[name] <= ROUNDS
        return MailingRef(f"{name}-windows", f"round-{self.rounds[name]}")
