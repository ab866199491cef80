"""The fake in a process of its own: it outlives whoever is killed in a test, and takes no time from who is measured."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlgroup_mail.testing.sendgrid.fake import Checking
from mlgroup_mail.testing.sendgrid.truth import Accepted, read_truth


class FakeProcess:
    """A fake that runs elsewhere."""

    def __init__(self, process: "subprocess.Popen[str]", *, url: str, key: str, log: Path) -> None:
        self.process, self.url, self.key, self.log = process, url, key, log

    @property
    def accepted(self) -> list[Accepted]:
        """Everybody who was accepted, from the truth log: also after its death."""
        return read_truth(self.log)

    def order(self, method: str, name: str, document: object = None) -> Any:
        """Tell it something, as docs/testing.md lists it; its answer. Raises ValueError where it refuses."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, f"/fake/{name}", json.dumps(document))
            answer = connection.getresponse()
            told = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(told["errors"][0]["message"])
        return told


@contextmanager
def fake_sendgrid_process(
    log: Path, *, port: int = 0, checking: Checking = Checking.FULL, keep_content: bool = False
) -> Iterator[FakeProcess]:
    """A running fake, ended with the block if it still lives. The options are those of `fake_sendgrid`."""
    command = [sys.executable, "-m", "mlgroup_mail.testing.sendgrid", "--log", str(log), "--port", str(port)]
    command += ["--checking", checking, *(["--keep-content"] if keep_content else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module.
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield FakeProcess(process, url=said["url"], key=said["key"], log=log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
