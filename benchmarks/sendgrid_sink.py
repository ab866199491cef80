"""How much a SendGrid on loopback takes: the ceiling of whatever is measured against it.

`sink` is where a benchmark sends to. The requests here are made beforehand, so that nothing but the wire and the fake
are measured; `python -m benchmarks.sendgrid_sink` says how much that is.
"""

import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measuring import Figure, Way, compare
from mlgroup_mail.testing.sendgrid import Checking
from mlgroup_mail.testing.sendgrid.answers import MAIL_SEND
from mlgroup_mail.testing.sendgrid.process import FakeProcess, fake_sendgrid_process

RECIPIENTS = 1000
REQUESTS = 100
_CONTENT = 30_000


@contextmanager
def sink(checking: Checking = Checking.NOTHING) -> Iterator[FakeProcess]:
    """A fake in a process of its own: with `NOTHING` it counts and answers, with `FAST` it also writes the truth."""
    with (
        tempfile.TemporaryDirectory(prefix="mlgroup-benchmark-") as folder,
        fake_sendgrid_process(Path(folder) / "truth.jsonl", checking=checking) as fake,
    ):
        yield fake


def run() -> list[Figure]:
    """Recipients a second, by how closely the fake looks."""
    body = _request()
    with sink() as plain, sink(Checking.FAST) as writing:
        return compare(
            [
                Way(name=f"SendGrid on loopback, {name}", count=RECIPIENTS * REQUESTS, work=partial(_post, fake, body))
                for name, fake in (("with a truth log", writing), ("plain", plain))
            ]
        )


def _request() -> bytes:
    people = [
        {
            "to": [{"email": f"person{number}@office.example"}],
            "headers": {
                "Message-ID": f"<{number}@mail.example.org>",
                "List-Unsubscribe": f"<https://mail.example.org/o/{number:060}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            "substitutions": {f"qz{tag:06}": "x" * 40 for tag in range(5)},
            "custom_args": {"mlgroup_attempt": str(number)},
        }
        for number in range(RECIPIENTS)
    ]
    content = [{"type": "text/plain", "value": "x" * 5000}, {"type": "text/html", "value": "x" * _CONTENT}]
    document = {"personalizations": people, "from": {"email": "news@example.org"}, "subject": "x", "content": content}
    return json.dumps(document).encode()


def _post(fake: FakeProcess, body: bytes) -> None:
    connection = http.client.HTTPConnection(urlsplit(fake.url).netloc, timeout=60)
    for _ in range(REQUESTS):
        connection.request("POST", MAIL_SEND, body, {"Authorization": f"Bearer {fake.key}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise ValueError(f"the fake answered {answer.status}")
    connection.close()


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.name}: {figure.rate:,.0f} recipients a second")
