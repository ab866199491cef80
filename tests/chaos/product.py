"""What makes `mlgroup-mail` a victim: its commits become points, its constants short, its clock and its host others."""

import socket
import sys
import threading
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

from mlgroup_mail.clock import SystemClock
from tests.chaos.points import Orders, Points

_KINDS = (
    # The first that a transaction has done names its commit: a claim records the last window's outcomes too.
    ("claim", ("insert into attempt",)),
    ("record", ("update attempt",)),
    ("plan", ("update mailing set plan_cursor", "insert into delivery")),
    ("courtesy", ("insert into courtesy",)),
    ("answer", ("update courtesy",)),
)


def watch_commits(points: Points) -> None:
    """Make the moments before and after each commit points, named by what the transaction has done."""
    here = threading.local()
    do_commit = DefaultDialect.do_commit

    def note(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        words = " ".join(statement.lower().replace('"', "").split())
        done = connection.info.setdefault("chaos", set())
        done.update(kind for kind, starts in _KINDS if words.startswith(starts))

    def before(connection: Connection) -> None:
        done = connection.info.pop("chaos", set())
        here.kind = next((kind for kind, _ in _KINDS if kind in done), "other")
        points.reach(f"commit.{here.kind}.before")

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        do_commit(dialect, connection)
        if kind := here.__dict__.pop("kind", None):
            points.reach(f"commit.{kind}.after")

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", before)
    event.listen(Engine, "rollback", lambda connection: connection.info.pop("chaos", None))
    DefaultDialect.do_commit = commit  # type: ignore[method-assign]


def set_constants(orders: Orders) -> None:
    """Give constants other values in every module that has them: leases of seconds, back-offs of a moment."""
    for name, value in orders.constants.items():
        ours = [module for key, module in list(sys.modules.items()) if key.startswith("mlgroup_mail.")]
        found = [module for module in ours if name in vars(module)]
        assert found, f"no module has {name} any more"
        for module in found:
            setattr(module, name, _like(getattr(module, name), value))


def _like(old: Any, seconds: float) -> Any:
    if isinstance(old, tuple):
        return tuple(_like(each, seconds) for each in old)
    return timedelta(seconds=seconds) if isinstance(old, timedelta) else type(old)(seconds)


def set_host(orders: Orders) -> None:
    """Another machine, whose dead processes nobody here can see."""
    if orders.host:
        socket.gethostname = lambda: orders.host


def set_clock(orders: Orders) -> None:
    """A machine whose clock is wrong."""
    if orders.clock_offset:
        now, offset = SystemClock.now, timedelta(seconds=orders.clock_offset)

        def wrong(clock: SystemClock) -> datetime:
            return now(clock) + offset

        SystemClock.now = wrong  # type: ignore[method-assign]
