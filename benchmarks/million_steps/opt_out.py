"""One click after the other until it is told to end: how long each of them has to wait, in milliseconds."""

import json
import sys
import time
from pathlib import Path

from benchmarks.ledgers import AT, open_ledger
from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.model import Road, Signal, SignalKind

PAUSE_SECONDS = 0.01


def main(folder: Path, end: Path, first: int) -> dict[str, list[float]]:
    """Opt the people from number `first` on out, each from the sample's topic, until the file `end` is there."""
    store, waits, contact_id = open_ledger(folder), [], first
    while not end.exists():
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
        contact_id += 1
        time.sleep(PAUSE_SECONDS)
    return {"waits": waits}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
