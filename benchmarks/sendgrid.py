"""Sending through SendGrid's interface into a loopback sink: the whole way of a planned mailing, ledger included.

The ledger is on SQLite with full durability; claims, opt-out links, values, JSON, HTTP and recording all count. The
sink is a process of its own that reads requests and answers 202 (`sendgrid_sink`).
"""

import tempfile
from pathlib import Path

from benchmarks import ledgers
from benchmarks.measuring import ROUNDS, Figure, Way, compare
from benchmarks.sendgrid_sink import sink
from mlgroup_mail.delivery.transports.sendgrid import SendGridTransport
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.model import Contact, MailingRef

PEOPLE = 20_000
BATCH = 10_000


def run() -> list[Figure]:
    """Recipients a second, links with one click and all."""
    with tempfile.TemporaryDirectory(prefix="mlgroup-benchmark-") as name, sink() as fake:
        folder = Path(name)
        people = [
            Contact(address=f"person{number}@office.example", name=f"Person {number}", source="all")
            for number in range(PEOPLE)
        ]
        source = ledgers.make_ledger(folder, people)
        store = ledgers.open_ledger(folder)
        refs = [MailingRef("through-sendgrid", f"round-{number}") for number in range(ROUNDS)]
        for ref in refs:
            ledgers.approve(store, folder, source, ref)
            ledgers.plan(store, ref, batch_size=BATCH)
        waiting = iter(refs)

        def send() -> None:
            transport = SendGridTransport(SendGridAccount(url=fake.url, key=fake.key))
            ledgers.send_through(store, next(waiting), transport, public_url="https://mail.example.org")

        figures = compare([Way(name="recipients through SendGrid, ledger included", count=PEOPLE, work=send)])
        store.close()
        return figures


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.name}: {figure.rate:,.0f} a second")
