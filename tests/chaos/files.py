"""The commits of senders that use SQLite through Python's own module: the ones that ours is compared with."""

import sqlite3
from typing import Any

from tests.chaos.points import Points


def watch_sqlite(points: Points) -> None:
    """Make the moments before and after each commit points, all of them named `other`."""
    connect = sqlite3.connect

    class Watched(sqlite3.Connection):
        def commit(self) -> None:
            points.reach("commit.other.before")
            super().commit()
            points.reach("commit.other.after")

    def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, **{"factory": Watched, **options})

    sqlite3.connect = sqlite3.dbapi2.connect = watched  # type: ignore[assignment, attr-defined]
