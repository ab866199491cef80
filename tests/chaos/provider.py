"""The truth over HTTP: the shipped fake of SendGrid, as a process that outlives whoever is killed."""

import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from mlgroup_mail.testing.sendgrid.account import FAKE_KEY
from mlgroup_mail.testing.sendgrid.process import FakeProcess, fake_sendgrid_process
from mlgroup_mail.testing.sendgrid.truth import Accepted, read_truth
from tests.chaos.http_troubles import HttpTrouble
from tests.chaos.truth import Arrival

_PATIENCE = 20.0


class ProviderTruth:
    """The running provider."""

    def __init__(self, folder: Path, *, window: int) -> None:
        """`window`: how many recipients a request may have, and so a broken one leaves in doubt."""
        self.log = folder / "truth.jsonl"
        self.refused: set[str] = set()
        self._window = window
        self._doubts = 0
        self._troubles: dict[str, HttpTrouble] = {}
        self._asleep = False
        self._running = ExitStack()
        self._process = self._start(0)
        self.port = int(self._process.url.rpartition(":")[2])

    @property
    def doubts(self) -> int:
        """A whole window for each request that it has left without an answer that tells what became of it."""
        return self._doubts

    @property
    def settings(self) -> dict[str, str]:
        return {
            "MLGROUP_TRANSPORT": "sendgrid",
            "MLGROUP_SENDGRID_URL": self._process.url,
            "MLGROUP_SENDGRID_API_KEY": FAKE_KEY,
            "MLGROUP_SENDGRID_TIMEOUT": "20",
        }

    @property
    def public_key(self) -> str:
        """What its events are signed for."""
        return str(self._process.order("GET", "state")["public_key"])

    @property
    def untouched(self) -> list[str]:
        waiting = bool(self._troubles) and self._process.order("GET", "state")["waiting_faults"]
        return list(self._troubles) if waiting else []

    def arrivals(self) -> list[Arrival]:
        return [
            Arrival(
                recipient=each.address,
                message_id=each.message_id,
                unsubscribe=each.headers.get("List-Unsubscribe", "").partition("<")[2].partition(">")[0],
            )
            for each in self._accepted()
        ]

    def trouble(self, name: str, trouble: HttpTrouble) -> None:
        """Let this happen."""
        self._process.order("POST", "faults", [asdict(trouble.fault)])
        self._troubles[name] = trouble
        self._doubts += self._window * trouble.doubtful

    def refuse(self, *addresses: str) -> None:
        """From now on whoever writes to these among others gets the whole request refused."""
        self.refused.update(addresses)
        self._process.order("PUT", "refuses", sorted(self.refused))

    def die(self) -> None:
        """SIGKILL: what is on its way is lost or not."""
        self._process.process.kill()
        self._process.process.wait()
        self._doubts += self._window

    def sleep(self) -> None:
        """SIGSTOP: it says nothing more, and reads later on what has come meanwhile."""
        self._process.process.send_signal(signal.SIGSTOP)
        self._asleep = True
        self._doubts += self._window

    def mend(self) -> None:
        if self._asleep:
            self._process.process.send_signal(signal.SIGCONT)
            self._asleep = False
        if self._process.process.poll() is not None:
            self._process = self._start(self.port)
            if self.refused:
                self.refuse()
        self._process.order("DELETE", "faults")
        self._come_to_rest()

    def close(self) -> None:
        if self._asleep:
            self._process.process.send_signal(signal.SIGCONT)
        self._running.close()

    def tell(self, url: str, *, seed: int, fates: Mapping[str, str]) -> list[int]:
        """Post signed events about everybody it has accepted: some twice or anew, late, in any order; none is lost."""
        mishaps = {"doubled": 0.2, "renamed": 0.2, "late": 0.2, "disorder": True}
        order = {"url": url, "seed": seed, "fates": dict(fates), "mishaps": mishaps}
        return list(self._process.order("POST", "events", order)["statuses"])

    def _accepted(self) -> list[Accepted]:
        return read_truth(self.log)

    def _start(self, port: int) -> FakeProcess:
        return self._running.enter_context(fake_sendgrid_process(self.log, port=port))

    def _come_to_rest(self) -> None:
        """Until it has dealt with every request that has begun: a sender's death does not call one back."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            begun = self._process.order("GET", "state")["requests"]
            if len(self._process.order("GET", "requests")) == begun:
                return
            time.sleep(0.02)
