"""The running fake: its server, its account, its faults and its truth."""

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from mlgroup_mail.testing.sendgrid.account import Account
from mlgroup_mail.testing.sendgrid.answers import MAIL_SEND, Answer, Request, answer_flaws, refuse
from mlgroup_mail.testing.sendgrid.batches import CALM, Mishaps, post, travelled
from mlgroup_mail.testing.sendgrid.checking import flaws
from mlgroup_mail.testing.sendgrid.control import PREFIX, control
from mlgroup_mail.testing.sendgrid.conversation import Server
from mlgroup_mail.testing.sendgrid.events import Event, Fate, tell
from mlgroup_mail.testing.sendgrid.faults import Faults
from mlgroup_mail.testing.sendgrid.mail_send import accepted, answer_id, hastily
from mlgroup_mail.testing.sendgrid.notes import Note, Notes
from mlgroup_mail.testing.sendgrid.signing import Signer
from mlgroup_mail.testing.sendgrid.truth import Accepted, TruthLog

HOST = "127.0.0.1"


class Checking(StrEnum):
    """How closely requests to `/v3/mail/send` are looked at."""

    FULL = "full"
    """Against the official schema and all limits; contents are filled in and hashed."""
    FAST = "fast"
    """Read and written down, but not checked: what a benchmark with a truth needs."""
    NOTHING = "nothing"
    """Counted, and answered with 202: a sink."""


class FakeSendGrid:
    """The server. It answers from the moment that it is made, until `close`."""

    def __init__(
        self,
        log: Path,
        *,
        port: int = 0,
        checking: Checking = Checking.FULL,
        keep_content: bool = False,
        certificate: Path | None = None,
    ) -> None:
        self.checking, self.keep_content = checking, keep_content
        self.account = Account()
        self.faults = Faults()
        self.notes = Notes()
        self.refuses: set[str] = set()
        """Addresses, in lower case, for each of which a whole request gets 400."""
        self.signer = Signer()
        self.truth = TruthLog(log)
        self._scheme = "https" if certificate else "http"
        self._server = Server((HOST, port), self, certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """What stands in for https://api.sendgrid.com."""
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def key(self) -> str:
        """The account's API key."""
        return self.account.key

    @property
    def accepted(self) -> list[Accepted]:
        """Everybody who was accepted, from the truth log."""
        return self.truth.read()

    @property
    def requests(self) -> list[Note]:
        """Every request to `/v3/mail/send`, however it ended; the latest 100,000."""
        return self.notes.all()

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        if request.path.startswith(PREFIX):
            return control(self, request)
        if refusal := self.account.turns_away(request):
            return refusal
        if request.path != MAIL_SEND:
            return self.account.answer(request)
        return self._take(request) if request.method == "POST" else refuse(405, "method not allowed")

    def events(self, *, seed: int = 0, fates: Mapping[str, Fate] | None = None) -> list[Event]:
        """What the service would tell about everybody who was accepted; bounces and the like get onto its lists.

        Who stands on a list already is dropped, and the reason says for which. Otherwise as `events.tell`.
        """
        people = self.accepted
        stopped = {each.address: self.account.suppressions.stopped_by(each.address) for each in people}
        reasons = {address: on.drop_reason for address, on in stopped.items() if on}
        told = tell(
            people, seed=seed, fates={**dict.fromkeys(reasons, Fate.DROPPED), **(fates or {})}, dropped_for=reasons
        )
        for event in told:
            self.account.suppressions.learn(event)
        return told

    def post_events(
        self,
        url: str,
        *,
        seed: int = 0,
        fates: Mapping[str, Fate] | None = None,
        mishaps: Mishaps = CALM,
        tries: int = 3,
    ) -> list[int]:
        """Post signed events to a webhook; the status of every try. Otherwise as `events` and `batches.post`."""
        arriving = travelled(self.events(seed=seed, fates=fates), mishaps, seed=seed)
        return post(arriving, url, self.signer, tries=tries, seed=seed)

    def close(self) -> None:
        """Break off everything and stop."""
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()
        self.truth.close()

    def _take(self, request: Request) -> Answer:
        identifier = answer_id()
        taken = Answer(status=202, headers={"X-Message-Id": identifier})
        if self.checking is Checking.NOTHING:
            return taken
        try:
            document = json.loads(request.body)
        except UnicodeDecodeError:
            return refuse(415, "Invalid UTF8 in request")
        except ValueError:
            return refuse(400, "Bad Request")
        if self.checking is Checking.FAST:
            self.truth.write(hastily(document, number=request.number, identifier=identifier))
            return taken
        if found := flaws(document, self.refuses):
            return answer_flaws(400, found)
        if refusal := self.account.refuses_sender(document["from"]["email"]):
            return refusal
        if document.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Answer(status=200)
        people = accepted(document, number=request.number, identifier=identifier, keep=self.keep_content)
        self.truth.write(each.entry for each in people)
        return taken


@contextmanager
def fake_sendgrid(
    folder: Path | None = None,
    *,
    port: int = 0,
    checking: Checking = Checking.FULL,
    keep_content: bool = False,
    certificate: Path | None = None,
) -> Iterator[FakeSendGrid]:
    """A running fake whose truth log lies in `folder`, or in a temporary one.

    `port` 0: a free one. `keep_content`: the log keeps what each recipient gets, not only its hash. `certificate`: a
    PEM file with key and certificate, for TLS.
    """
    with tempfile.TemporaryDirectory(prefix="fake-sendgrid-") as temporary:
        fake = FakeSendGrid(
            (folder or Path(temporary)) / "truth.jsonl",
            port=port,
            checking=checking,
            keep_content=keep_content,
            certificate=certificate,
        )
        try:
            yield fake
        finally:
            fake.close()
