"""Serving the pages with uvicorn."""

import contextlib
import gc
import socket
import sys
from typing import TYPE_CHECKING

from mlgroup_mail.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises UsageError where that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host}, port {port}: {reason}",
            mend="Name an address of this machine with --host, and a free port with --port.",
        ) from None
    # Each connection has it from here; asyncio does it for sockets of its own making only. Else the second half of an
    # answer waits 40 ms until the other side has acknowledged the first (measured).
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return listening


def make_ready() -> None:
    """Make this process one that answers, once everything is loaded."""
    # What is loaded by now stays: looking through it for garbage took 100 ms in the midst of a request (measured).
    gc.freeze()
    # A thread that writes gives way at each statement, and then waits for the thread that answers: 5 ms unless told.
    sys.setswitchinterval(0.0005)


def serve(pages: "ASGIApp", on: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; requests that have begun are answered first."""
    import uvicorn

    # No log of requests: who looked at which mail, from where and when, is nobody's business.
    config = uvicorn.Config(
        pages,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    make_ready()
    # Ctrl-C is how it is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[on])
