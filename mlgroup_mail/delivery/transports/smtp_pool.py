"""The connections to a mail server: as many as it lets us have, and never more than we were told."""

import logging
import time

from mlgroup_mail.delivery.transports.oauth import TokenSource
from mlgroup_mail.delivery.transports.smtp_line import Line
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.errors import TransportError

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 300.0
"""After so long a server that refused a further connection is asked for one again."""


class Pool:
    """Up to `server.connections` lines. One is enough to go on with: what the server refuses beyond is done without."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._tokens = TokenSource(server.oauth) if server.oauth else None
        self.lines = [self._new()]
        self._wanted = 1
        self._ask_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether `open` would return at once."""
        return all(line.ready for line in self.lines) and not self._may_grow

    def open(self) -> None:
        """Have one connection the first time, and from then on as many as we may.

        A single message, or a look whether the server answers, takes one. Raises TransportError where none stands.
        """
        standing, failures = [], []
        for line in self.lines:
            try:
                line.open()
                standing.append(line)
            except TransportError as failure:
                failures.append(failure)
        if not standing:
            self.lines = self.lines[:1]
            raise failures[0]
        self.lines = standing
        if failures:
            self._do_without(failures[0])
        while self._may_grow:
            self._grow()
        self._wanted = self._server.connections

    def close(self) -> None:
        """Take leave of the server. Safe to call twice."""
        for line in self.lines:
            line.close()

    @property
    def _may_grow(self) -> bool:
        return len(self.lines) < self._wanted and time.monotonic() >= self._ask_at

    def _grow(self) -> None:
        line = self._new()
        try:
            line.open()
            self.lines.append(line)
        except TransportError as failure:
            self._do_without(failure)

    def _do_without(self, failure: TransportError) -> None:
        """A server that lets us in over one connection, and not over another, has had enough of them."""
        self._ask_at = time.monotonic() + ASK_AGAIN_SECONDS
        log.info("going on with %d connections: %s", len(self.lines), failure.problem.message)

    def _new(self) -> Line:
        return Line(self._server, self._tokens)
