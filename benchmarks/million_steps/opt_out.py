"""One click after the other until it is told to end: how long each of them has to wait, in milliseconds."""

import json
import sys
import time
from itertools import count
from pathlib import Path

from benchmarks.ledgers import AT, open_ledger
from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.model import Road, Signal, SignalKind
from mlgroup_mail.store.contacts import count_contacts

PAUSE_SECONDS = 0.01
TURNS = 4
"""Everybody clicks in one of so many turns: nobody opts out twice."""
_STRIDE = 7919
"""A prime: those who click one after the other stand far apart on the list, and all over it."""


def main(folder: Path, end: Path, turn: int) -> dict[str, list[float]]:
    """Opt the people of a turn out, each from the sample's topic, until the file `end` is there."""
    store, waits = open_ledger(folder), list[float]()
    with store.reading() as connection:
        people = count_contacts(connection) // TURNS
    for number in count():
        if end.exists() or number == people:
            break
        contact_id = number * _STRIDE % people * TURNS + turn + 1
        signal = Signal(
            kind=SignalKind.OPT_OUT,
            topic="newsletter",
            road=Road.PAGE,
            at=AT,
            contact_id=contact_id,
            evidence=f"click {contact_id}",
        )
        start = time.perf_counter()
        apply_signal(store, signal, now=AT)
        waits.append((time.perf_counter() - start) * 1000)
        time.sleep(PAUSE_SECONDS)
    # The first one opens the database.
    return {"waits": waits[1:]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
