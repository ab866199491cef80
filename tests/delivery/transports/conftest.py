"""Transports to a test's mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mlgroup_mail.delivery.transports.smtp import SmtpTransport
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.settings.environment import Tls


@pytest.fixture
def transport_to() -> Iterator[Callable[..., SmtpTransport]]:
    """Makes transports to a test's server, and closes them at the end."""
    with ExitStack() as stack:

        def make(server: Any, **options: Any) -> SmtpTransport:
            settings = {"tls": "none", "timeout": 2.0, "answer_timeout": 2.0} | options
            settings["tls"] = Tls(settings["tls"])
            transport = SmtpTransport(SmtpServer(host=server.host, port=server.port, **settings))
            stack.callback(transport.close)
            return transport

        yield make
