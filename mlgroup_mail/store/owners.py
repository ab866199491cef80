"""Owners: processes that claim. Who is alive, who is gone, and what becomes of what a dead one had begun.

An owner has a row and holds an exclusive lock on a file that the row names by device and inode. Whoever can lock that
very file knows it dead at once; others wait until its lease has run out. An epoch tells a process that was given up
for dead while it slept: its row no longer has the epoch it knows.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import IO, Any

import psutil
from sqlalchemy import Connection, Float, RowMapping, and_, bindparam, func, insert, select, update

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.errors import OwnerLostError
from mlgroup_mail.model import DeliveryStep, OutcomeKind
from mlgroup_mail.private_files import make_private_folder
from mlgroup_mail.store import file_locks, schema
from mlgroup_mail.store.transactions import Store, rows
from mlgroup_mail.store.transitions import move_deliveries

LEASE_SECONDS = 90.0
RENEW_SECONDS = 30.0
ASLEEP_SECONDS = 2 * 3600.0
"""An owner whose lease ran out so long ago claims no more, even where nobody has given it up: like a mailing that stood
still for so long, it waits for a person (`delivery.settling.OVERDUE`)."""
OWNER_GONE = "the process that had begun it is gone"

_TABLE = schema.owner


@dataclass(kw_only=True, slots=True)
class Owner:
    """This process as an owner: its row's key and epoch, and the open file whose lock says that it lives."""

    owner_id: int
    epoch: int
    lock_file: IO[bytes]

    @property
    def lock_name(self) -> str:
        """The name of its lock file, which no other owner of any copy of the ledger has."""
        return Path(self.lock_file.name).name


class OwnerState(StrEnum):
    """What this copy of the ledger knows of an owner."""

    UNKNOWN = "unknown"
    """No such row: this copy is from before it, or the number was given to another."""
    OPEN = "open"
    """It has begun, and has neither ended nor been given up."""
    ENDED = "ended"
    """It has ended, or was given up for dead."""


def begin_owner(store: Store, *, now: datetime) -> Owner:
    """Take the lock, then write the row: nobody can find the row while the file is unlocked."""
    folder = store.state / "locks"
    make_private_folder(folder)
    path = folder / f"owner-{uuid.uuid4().hex}.lock"
    file = path.open("wb")
    file_locks.lock(file)
    status = os.fstat(file.fileno())
    with store.writing() as connection:
        owner_id = connection.execute(
            insert(_TABLE)
            .values(
                host=socket.gethostname(),
                boot=boot_id(),
                process=os.getpid(),
                lock_path=str(path),
                lock_device=_signed(status.st_dev),
                lock_inode=_signed(status.st_ino),
                epoch=0,
                lease_until=lease_now(connection) + LEASE_SECONDS,
                started_at=now,
            )
            .returning(_TABLE.c.id)
        ).scalar_one()
    return Owner(owner_id=owner_id, epoch=0, lock_file=file)


def end_owner(store: Store, owner: Owner, *, now: datetime) -> None:
    """Say goodbye: the row first, then the lock and its file. What it began and has no answer for is in doubt."""
    with store.writing() as connection:
        _doubt_open_attempts(connection, owner.owner_id, now=now)
        connection.execute(
            update(_TABLE)
            .where(_TABLE.c.id == owner.owner_id, _TABLE.c.epoch == owner.epoch, _TABLE.c.ended_at.is_(None))
            .values(ended_at=now)
        )
    path = Path(owner.lock_file.name)
    path.unlink(missing_ok=True)
    owner.lock_file.close()


def owner_state(connection: Connection, owner_id: int, lock_name: str) -> OwnerState:
    """What is known of the owner with this number and this lock file."""
    found = rows(connection, select(_TABLE.c.lock_path, _TABLE.c.ended_at).where(_TABLE.c.id == owner_id))
    # The path may be of a machine that writes paths in another way.
    if not found or not found[0]["lock_path"].endswith(lock_name):
        return OwnerState.UNKNOWN
    return OwnerState.OPEN if found[0]["ended_at"] is None else OwnerState.ENDED


def renew(connection: Connection, owner: Owner) -> None:
    """Prolong the lease; raises OwnerLostError where this process was given up, or slept for hours.

    First statement of every claim.
    """
    now = lease_now(connection)
    asked = {"b_owner": owner.owner_id, "b_epoch": owner.epoch, "b_now": now, "b_until": now + LEASE_SECONDS}
    if connection.execute(_RENEW, asked).rowcount != 1:
        raise OwnerLostError("this process was given up for dead while it slept")


_RENEW = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("b_owner"),
        _TABLE.c.epoch == bindparam("b_epoch"),
        _TABLE.c.ended_at.is_(None),
        _TABLE.c.lease_until > bindparam("b_now", type_=Float) - ASLEEP_SECONDS,
    )
    .values(lease_until=bindparam("b_until", type_=Float))
)


def give_up_dead(store: Store, *, now: datetime) -> int:
    """Find owners that are gone and turn their open attempts into `uncertain`; returns how many deliveries."""
    with store.reading() as connection:
        candidates = rows(connection, select(_TABLE).where(_TABLE.c.ended_at.is_(None)))
    return sum(_give_up(store, row, now=now) for row in candidates)


def _give_up(store: Store, row: RowMapping, *, now: datetime) -> int:
    held = _dead_man_s_lock(row)
    if held is None and not _looks_gone(store, row):
        return 0
    try:
        with store.writing() as connection:
            if held is None and not _lease_is_over(connection, row):
                return 0
            taken = connection.execute(
                update(_TABLE)
                .where(
                    _TABLE.c.id == row["id"],
                    _TABLE.c.epoch == row["epoch"],
                    _TABLE.c.ended_at.is_(None),
                    # It may have woken up since the row was read.
                    *([] if held is not None else [_TABLE.c.lease_until == row["lease_until"]]),
                )
                .values(epoch=_TABLE.c.epoch + 1, ended_at=now)
            )
            return _doubt_open_attempts(connection, row["id"], now=now) if taken.rowcount else 0
    finally:
        if held is not None:
            Path(row["lock_path"]).unlink(missing_ok=True)
            held.close()


def _doubt_open_attempts(connection: Connection, owner_id: int, *, now: datetime) -> int:
    table = schema.attempt
    unanswered = and_(table.c.owner_id == owner_id, table.c.outcome.is_(None))
    # In the order in which answers are recorded: neither waits for the other while the other waits for it.
    connection.execute(select(table.c.id).where(unanswered).order_by(table.c.id).with_for_update())
    # One statement: what was answered meanwhile is not in doubt, and its delivery may be in other hands by now.
    opened = rows(
        connection,
        update(table)
        .where(unanswered)
        .values(outcome=OutcomeKind.UNCERTAIN, detail=OWNER_GONE, ended_at=now)
        .returning(table.c.delivery_id),
    )
    delivery = schema.delivery
    ours = delivery.c.id.in_([row["delivery_id"] for row in opened])
    connection.execute(select(delivery.c.id).where(ours).order_by(delivery.c.id).with_for_update(key_share=True))
    moves: list[dict[str, Any]] = [{"id": row["delivery_id"], "reason": OWNER_GONE} for row in opened]
    return move_deliveries(connection, DeliveryStep.DOUBT, moves, now=now, also=("reason",))


def _dead_man_s_lock(row: RowMapping) -> IO[bytes] | None:
    """The lock on that very file, where this process can get it: proof that its owner is gone."""
    path = Path(row["lock_path"])
    try:
        file = path.open("rb+")
    except OSError:
        return None
    status = os.fstat(file.fileno())
    same = (_signed(status.st_dev), _signed(status.st_ino)) == (row["lock_device"], row["lock_inode"])
    if same and row["host"] == socket.gethostname() and file_locks.try_lock(file):
        return file
    file.close()
    return None


def _looks_gone(store: Store, row: RowMapping) -> bool:
    """Whether the lease has run out, by a reading: who looks at the living, itself among them, keeps nobody waiting."""
    with store.reading() as connection:
        return _lease_is_over(connection, row)


def _lease_is_over(connection: Connection, row: RowMapping) -> bool:
    """Whether the lease has run out; on SQLite, one machine's, another boot's owner is gone with that boot."""
    if connection.dialect.name == "sqlite" and row["boot"] != boot_id():
        return True
    return bool(row["lease_until"] < lease_now(connection))


def lease_now(connection: Connection) -> float:
    """Seconds on the clock that leases are kept by: the database's on PostgreSQL, this boot's on SQLite."""
    if connection.dialect.name == "sqlite":
        return boot_seconds()
    return float(connection.execute(_DATABASE_NOW).scalar_one())


_DATABASE_NOW = select(func.extract("epoch", func.clock_timestamp()))


@cache
def boot_id() -> str:
    """What tells this boot of the machine from the one before."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Ten seconds' rounding: elsewhere the moment is reckoned from the clock, which may be set a little.
        return str(round(psutil.boot_time(), -1))


def _signed(value: int) -> int:
    """Device and inode numbers may be unsigned 64-bit; the column is not."""
    return value - 2**64 if value >= 2**63 else value
